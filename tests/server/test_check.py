"""`madoguchi check` says of each fault what it is, and ends with 1."""

import asyncio
import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from security.crypto.keys import KeyEncryptionKey
from security.policy.model import Policy
from server.api.reach import Reach
from server.check import machine, services
from server.check.finding import Finding, State
from server.cli.house import make_house
from server.cli.root import commands
from server.clock import utc_now
from server.demo.authority import issue
from server.settings import Settings

NOW = datetime(2026, 11, 23, 1, 2, 3, tzinfo=UTC)
INIT = ("--municipality", "kasaoka", "--name", "笠岡市", "--administrator", "admin")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as `init` leaves it."""
    folder = tmp_path_factory.mktemp("check") / "madoguchi"
    words = ["init", str(folder), *INIT, "--administrator-name", "架空 花子"]
    result = CliRunner().invoke(commands, words)
    assert result.exit_code == 0, result.output
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(made, tmp_path / "madoguchi"))


def check(folder: Path, *words: str) -> tuple[int, dict[str, list[dict[str, str]]]]:
    """Return the exit code and what was found, by what it is about."""
    config = str(folder / "madoguchi.toml")
    result = CliRunner().invoke(commands, ["check", "--json", "--config", config, *words])
    said = json.loads(result.output)
    found: dict[str, list[dict[str, str]]] = {}
    for one in said["findings"]:
        found.setdefault(one["about"], []).append(one)
    assert said["ok"] == (result.exit_code == 0)
    return result.exit_code, found


def states(findings: Iterator[Finding]) -> list[State]:
    return [one.state for one in findings]


def test_a_fresh_service_has_no_fault(folder: Path) -> None:
    code, found = check(folder)
    assert code == 0
    assert {"listening", "key", "database", "clock", "relay", "oidc", "syslog"} <= set(found)
    assert "mode 0700" in found["data"][0]["text"]
    assert "kasaoka" in found["database"][0]["text"]


def test_in_words_each_line_says_what_it_is_about(folder: Path) -> None:
    words = ["check", "--config", str(folder / "madoguchi.toml")]
    result = CliRunner().invoke(commands, words)
    assert result.exit_code == 0
    assert "○ 鍵 / key: the key-encryption key is there" in result.output


def test_every_mistake_of_the_settings_is_told(folder: Path) -> None:
    (folder / "madoguchi.toml").write_text("[server]\nport = 99999\nhots = 1\n", "utf-8")
    code, found = check(folder)
    assert code == 1
    assert [one["state"] for one in found["settings"]] == ["fault", "fault"]
    assert ":2: server.port" in found["settings"][0]["text"]


def test_what_a_request_seems_to_come_from_is_told(folder: Path) -> None:
    _, found = check(folder, "--from", "203.0.113.9", "--forwarded", "10.0.0.1")
    text = "a request from 203.0.113.9 with X-Forwarded-For 10.0.0.1 comes from 203.0.113.9"
    assert text in found["address"][0]["text"]
    settings = Settings.model_validate({})
    policy = Policy.model_validate({"network": {"trusted_proxies": ["203.0.113.0/24"]}})
    example = Reach("203.0.113.9", "10.0.0.1", None, False)
    first = next(services.addresses(settings, {"kasaoka": policy}, example))
    assert first.text.endswith("comes from 10.0.0.1")


def test_a_missing_key_and_another_key_are_told(folder: Path) -> None:
    kek = folder / "keys" / "kek"
    kek.unlink()
    code, found = check(folder)
    assert (code, found["key"][0]["state"]) == (1, "fault")
    KeyEncryptionKey.generate().write_file(kek)
    code, found = check(folder)
    assert (code, found["key"][0]["state"], found["database"][0]["state"]) == (1, "ok", "fault")


def test_a_missing_database_and_one_of_another_version_are_told(folder: Path) -> None:
    file = folder / "data" / "madoguchi.sqlite"
    kept = file.read_bytes()
    file.unlink()
    assert check(folder)[1]["database"][0]["state"] == "fault"
    file.write_bytes(kept)
    script = "import sqlite3,sys; c=sqlite3.connect(sys.argv[1]); "
    script += "c.execute(\"UPDATE alembic_version SET version_num='0001'\"); c.commit(); c.close()"
    subprocess.run([sys.executable, "-c", script, str(file)], check=True)
    code, found = check(folder)
    assert code == 1
    assert "another version" in found["database"][0]["text"]


def test_a_clock_that_was_set_back_is_told(folder: Path) -> None:
    async def write() -> None:
        house = make_house(Settings.load(folder / "madoguchi.toml"))
        (home,) = await house.people.municipalities()
        later = utc_now() + timedelta(hours=1)
        await house.audit.note(home.id, "test:a:b", "s", {}, now=later)
        await house.database.engine.dispose()

    asyncio.run(write())
    code, found = check(folder)
    assert (code, found["clock"][0]["state"]) == (1, "fault")
    assert "set back" in found["clock"][0]["text"]


@pytest.mark.parametrize(
    ("mode", "state"), [(0o700, State.OK), (0o750, State.WARNING), (0o770, State.FAULT)]
)
def test_who_may_reach_the_data_folder_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int, state: State
) -> None:
    monkeypatch.setattr(machine, "LITTLE_SPACE", 0)
    tmp_path.chmod(mode)
    settings = Settings.model_validate({"data": {"folder": tmp_path}})
    assert states(machine.folder(settings)) == [state]


def test_little_room_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tmp_path.chmod(0o700)
    settings = Settings.model_validate({"data": {"folder": tmp_path}})
    monkeypatch.setattr(machine, "LITTLE_SPACE", 1 << 60)
    assert states(machine.folder(settings)) == [State.WARNING]
    monkeypatch.setattr(machine, "NO_SPACE", 1 << 60)
    assert states(machine.folder(settings)) == [State.FAULT]
    gone = Settings.model_validate({"data": {"folder": tmp_path / "gone"}})
    assert states(machine.folder(gone)) == [State.FAULT]


@pytest.mark.parametrize(
    ("url", "later", "expected"),
    [
        ("https://127.0.0.1", timedelta(), [State.WARNING]),  # the demo's lasts seven days
        ("https://127.0.0.1", timedelta(days=8), [State.FAULT]),
        ("https://madoguchi.example.lg.jp", timedelta(), [State.WARNING, State.FAULT]),
    ],
)
def test_names_and_days_of_the_certificate_are_told(
    tmp_path: Path, url: str, later: timedelta, expected: list[State]
) -> None:
    issued = issue(("127.0.0.1",), now=NOW)
    (tmp_path / "chain").write_bytes(issued.chain)
    (tmp_path / "key").write_bytes(issued.key)
    files = {"tls_certificate": tmp_path / "chain", "tls_key": tmp_path / "key"}
    settings = Settings.model_validate({"server": {"public_url": url, **files}})
    found = list(machine.certificate(settings, NOW + later))
    assert [one.state for one in found] == expected
    assert "for 127.0.0.1" in found[0].text
    (tmp_path / "key").write_bytes(issue(("127.0.0.1",), now=NOW).key)
    assert states(machine.certificate(settings, NOW)) == [State.FAULT]


@pytest.mark.parametrize(
    ("url", "state"),
    [
        ("https://madoguchi.example.lg.jp", State.OK),
        ("https://203.0.113.5", State.WARNING),
        (None, State.WARNING),
    ],
)
def test_whether_passkeys_can_work_is_told(url: str | None, state: State) -> None:
    settings = Settings.model_validate({"server": {"public_url": url}})
    assert states(machine.passkeys(settings)) == [state]


def test_a_certificates_wildcard_stands_for_one_label() -> None:
    assert machine._covers("*.example.jp", "a.example.jp")
    assert not machine._covers("*.example.jp", "a.b.example.jp")
    assert not machine._covers("*.example.jp", "example.jp")


async def gathered(findings: Any) -> list[Finding]:
    return [one async for one in findings]


async def test_a_scanner_that_is_not_there_is_told(tmp_path: Path) -> None:
    settings = Settings.model_validate({"files": {"scanner": tmp_path / "clamd.ctl"}})
    (found,) = await gathered(services.scanner(settings, {}))
    assert found.state is State.FAULT


async def test_a_relay_is_asked_at_each_of_its_addresses(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    secret = tmp_path / "relay"
    secret.touch(mode=0o600)
    secret.write_text("s\n", "ascii")
    urls = [f"turn:127.0.0.1:{port}?transport={one}" for one in ("udp", "tcp")]
    relay = {"urls": urls, "use": "fallback", "secret_file": secret}
    settings = Settings.model_validate({"relay": relay})
    assert {one.state for one in await gathered(services.relay(settings))} == {State.FAULT}
    words = "-n --listening-ip=127.0.0.1 --use-auth-secret --static-auth-secret=s --realm=r"
    words += f" --no-tls --no-dtls --no-cli --log-file=stdout --listening-port={port}"
    paths = [f"--pidfile={tmp_path}/pid", f"--userdb={tmp_path}/db"]
    coturn = await asyncio.create_subprocess_exec(
        "turnserver", *words.split(), *paths, stdout=subprocess.DEVNULL, cwd=tmp_path
    )
    try:
        until = time.monotonic() + 20
        while time.monotonic() < until:
            found = await gathered(services.relay(settings))
            if all(one.state is State.OK for one in found):
                break
        assert [one.state for one in found] == [State.OK, State.OK]
    finally:
        coturn.kill()
        await coturn.wait()


async def test_a_policy_that_wants_what_is_not_set_is_a_fault() -> None:
    settings = Settings.model_validate({})
    syslog = Policy.model_validate({"audit": {"export": "syslog"}})
    (found,) = await gathered(services.syslog(settings, {"kasaoka": syslog}))
    assert (found.state, "kasaoka" in found.text) == (State.FAULT, True)
    scan = Policy.model_validate({"files": {"scan": "required"}})
    (found,) = await gathered(services.scanner(settings, {"kasaoka": scan}))
    assert found.state is State.FAULT
