"""The command line: what an operator does, and what is refused in one sentence."""

import asyncio
import json
import re
import socket
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from media.control_folder import ControlFolder
from media.fleet import Fleet
from media.os_process import OsProcess
from media.remote import RemoteNode
from security.audit.heads import HeadsFile
from security.crypto.keys import KeyEncryptionKey
from server.api.housekeeping import TEMPLATE_SECONDS
from server.audit_signing import AuditSigning
from server.cli.house import make_house
from server.cli.media import process_config
from server.cli.root import commands
from server.clock import utc_now
from server.demo.authority import issue
from server.policies import ZONE
from server.procedures.catalog import shipped_text
from server.settings import Settings
from tests.media.basics import Events

INIT = (
    "--municipality",
    "kasaoka",
    "--name",
    "笠岡市",
    "--administrator",
    "admin",
    "--administrator-name",
    "架空 花子",
)

PROGRAM = (sys.executable, "-c", "from server.cli import main; main()")


def command(*words: str | Path, stdin: str | None = None) -> Result:
    """Run a command."""
    return CliRunner().invoke(commands, [str(word) for word in words], input=stdin)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder made by `init`, that commands find."""
    folder = tmp_path / "madoguchi"
    made = command("init", folder, *INIT)
    assert made.exit_code == 0, made.output
    monkeypatch.setenv("MADOGUCHI_CONFIG", str(folder / "madoguchi.toml"))
    return folder


def done(*words: str | Path) -> str:
    """Run a command that must go well and return what it printed."""
    result = command(*words)
    assert result.exit_code == 0, result.output
    return result.stdout


def refused(*words: str | Path, code: int = 1) -> str:
    """Run a command that must be refused and return its sentence."""
    result = command(*words)
    assert result.exit_code == code, result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.stderr


def listed(*words: str) -> list[dict[str, str | None]]:
    """Return the JSON of a list."""
    rows = json.loads(done(*words, "list", "--json"))
    assert isinstance(rows, list)
    return rows


# init


def test_init_makes_everything_for_the_owner_alone(folder: Path) -> None:
    modes = {
        str(path.relative_to(folder)): path.stat().st_mode & 0o777
        for path in [folder, *folder.rglob("*")]
    }
    assert modes["."] == modes["keys"] == modes["data"] == 0o700
    assert modes["keys/kek"] == modes["madoguchi.toml"] == 0o600
    assert "data/madoguchi.sqlite" in modes
    settings = Settings.load(folder / "madoguchi.toml")
    assert settings.data.folder == folder / "data"
    KeyEncryptionKey.from_file(settings.keys.kek_file)


def test_init_prints_one_link_for_the_administrator(tmp_path: Path) -> None:
    url = "https://madoguchi.example.jp"
    output = done("init", tmp_path / "a", *INIT, "--public-url", url)
    assert len(re.findall(rf"{url}/password#[\w-]{{43}}\n", output)) == 1
    assert Settings.load(tmp_path / "a" / "madoguchi.toml").server.origins == (url,)


def test_init_prepares_a_relay_whose_configuration_is_printed(tmp_path: Path) -> None:
    config = tmp_path / "a" / "madoguchi.toml"
    output = done("init", tmp_path / "a", *INIT, "--relay", "relay.example.lg.jp")
    assert f"madoguchi relay --config {config}" in output
    assert (tmp_path / "a" / "keys" / "relay").stat().st_mode & 0o777 == 0o600
    text = config.read_text("utf-8").replace(
        "# announce = []", 'host = "::"\nannounce = ["192.0.2.10", "2001:db8::10"]'
    )
    config.write_text(text, "utf-8")
    relay = Settings.load(config).relay.relay()
    assert relay is not None
    lines = done("relay", "--config", config).splitlines()
    assert f"static-auth-secret={relay.secret}" in lines
    assert "realm=relay.example.lg.jp" in lines
    assert {"listening-port=3478", "tls-listening-port=5349"} < set(lines)
    allowed = [line for line in lines if line.startswith("allowed-peer-ip=")]
    assert allowed == ["allowed-peer-ip=192.0.2.10", "allowed-peer-ip=2001:db8::10"]
    assert "denied-peer-ip=0.0.0.0-255.255.255.255" in lines


def test_without_a_relay_none_is_printed(folder: Path) -> None:
    assert not (folder / "keys" / "relay").exists()
    assert "set urls and use" in refused("relay")


def test_init_asks_for_what_was_not_given(tmp_path: Path) -> None:
    result = command("init", tmp_path / "a", stdin="kasaoka\n笠岡市\nadmin\n架空 花子\n")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "a" / "madoguchi.toml").is_file()


def test_init_leaves_alone_what_is_there(folder: Path) -> None:
    before = (folder / "keys" / "kek").read_bytes()
    assert "already and not empty" in refused("init", folder, *INIT)
    assert (folder / "keys" / "kek").read_bytes() == before


def test_init_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    message = refused("init", tmp_path / "a", *INIT, "--public-url", "http://x.jp", code=2)
    assert "server.public_url" in message
    assert list((tmp_path / "a").iterdir()) == []
    done("init", tmp_path / "a", *INIT)


@pytest.mark.parametrize("slug", ["Kasaoka", "笠岡", "-a", "a" * 65, "a b", ""])
def test_a_slug_that_fits_no_address_is_wrong_usage(tmp_path: Path, slug: str) -> None:
    assert "short name" in refused("init", tmp_path / "a", *INIT, "--municipality", slug, code=2)
    assert not (tmp_path / "a").exists()


# municipality, office, person, tablet


def test_municipalities_are_added_listed_and_changed(folder: Path) -> None:
    done("municipality", "add", "ibara", "--name", "井原市", "--hours", "平日 9時〜17時")
    done("municipality", "set", "ibara", "--telephone", "0866-00-0000")
    one, two = listed("municipality")
    assert (one["slug"], one["name"], one["telephone"]) == ("ibara", "井原市", "0866-00-0000")
    assert one["hours"] == "平日 9時〜17時"
    assert two["slug"] == "kasaoka"
    assert "already" in refused("municipality", "add", "ibara", "--name", "x")
    assert "nothing to change" in refused("municipality", "set", "ibara", code=2)
    assert "there is no municipality soja" in refused("municipality", "set", "soja", "--name", "x")


def test_with_two_municipalities_one_must_be_named(folder: Path) -> None:
    done("municipality", "add", "ibara", "--name", "井原市")
    assert "--municipality" in refused("office", "add", "中央郵便局")
    done("office", "add", "中央郵便局", "--municipality", "ibara")
    assert json.loads(done("office", "list", "--municipality", "kasaoka", "--json")) == []


@pytest.mark.parametrize("words", [("北郵便局", "--kind", "simple"), ("北簡易郵便局",)])
def test_a_simple_post_office_is_refused_with_the_reason(
    folder: Path, words: tuple[str, ...]
) -> None:
    message = refused("office", "add", *words)
    assert "簡易郵便局" in message
    assert "Q&A 11" in message
    assert listed("office") == []


def test_an_office_is_given_its_days_and_procedures_open_there_by_a_document(folder: Path) -> None:
    done("office", "add", "中央郵便局")
    done("office", "set", "中央郵便局", "--designated-on", "2026-04-01", "--contract", "契約第1号")
    done("office", "set", "中央郵便局", "--resolved-on", "2026-03-20", "--resolution", "議案第7号")
    (row,) = listed("office")
    assert (row["designated_on"], row["resolved_on"]) == ("2026-04-01", "2026-03-20")
    assert (row["resolution_ref"], row["contract_ref"]) == ("議案第7号", "契約第1号")
    assert "nothing to enter" in refused("office", "set", "中央郵便局", code=2)
    opened = ("office", "open", "中央郵便局", "loss-report", "--from", "2026-11-11")
    refused(*opened, code=2)
    assert "basis" in refused(*opened, "--basis", " ")
    assert "no such procedure" in refused(*opened[:3], "nosuch", *opened[4:], "--basis", "告示")
    done(*opened, "--basis", "告示第9号")
    rows = json.loads(done("office", "procedures", "中央郵便局", "--json"))
    found = {row["id"]: row for row in rows}
    assert found["loss-report"]["since"] == "2026-11-11"
    assert found["loss-report"]["basis"] == "告示第9号"
    assert (found["new-issue"]["status"], found["renewal"]["status"]) == ("open", "preparing")
    asking = ("policy", "explain", "--config", folder / "madoguchi.toml", "--office", "中央郵便局")
    call = ("--action", "start-call", "--procedure", "loss-report", "--real", "--json")
    unmet = []
    for day in ("2026-03-31", "2026-11-10", "2026-11-11"):
        told = command(*asking, *call, "--at", f"{day}T10:00+09:00")
        unmet.append({reason["code"] for reason in json.loads(told.stdout)["reasons"]})
    days = [found & {"office_not_designated", "procedure_not_open"} for found in unmet]
    assert days == [{"office_not_designated", "procedure_not_open"}, {"procedure_not_open"}, set()]
    assert all("precheck_missing" in found and "resolution_missing" not in found for found in unmet)
    done(*opened, "--basis", "告示第10号", "--close")
    rows = json.loads(done("office", "procedures", "中央郵便局", "--json"))
    assert {row["id"]: row["status"] for row in rows}["loss-report"] == "preparing"


def test_an_own_template_is_put_in_force_and_a_bad_one_refused_by_line(
    folder: Path, tmp_path: Path
) -> None:
    file = tmp_path / "own.toml"
    text = shipped_text("new-issue").replace("draw = 2", "draw = 3")
    file.write_text(text, "utf-8")
    before = utc_now()
    told = done("procedure", "put", str(file), "--note", "三つ引く")
    assert "第1版" in told
    assert done("procedure", "versions", "1") == text
    later = ("--from", "2020-01-01T00:00+09:00")
    assert "now or later" in refused("procedure", "put", str(file), "--note", "x", *later, code=2)
    file.write_text(text.replace('kind = "code"', 'kind = "dance"'), "utf-8")
    message = refused("procedure", "put", str(file), "--note", "x", code=1)
    assert re.search(r"own\.toml:\d+: steps\[2\]\.needs\[0\]\.kind: ", message)
    rows = json.loads(done("procedure", "versions", "--json"))
    (starts_at,) = [datetime.fromisoformat(row["starts_at"]) for row in rows]
    # A running service looks for it often enough to have it before any call is placed under it.
    assert starts_at - before > timedelta(seconds=2 * TEMPLATE_SECONDS)
    assert starts_at.astimezone(ZONE).isoformat(timespec="seconds") in told


def test_a_tablet_is_in_training_until_it_is_switched(folder: Path) -> None:
    done("office", "add", "中央郵便局")
    done("tablet", "add", "１番窓口", "--office", "中央郵便局")
    assert listed("tablet")[0]["mode"] == "training"
    for mode in ("real", "training"):
        done("tablet", "mode", "１番窓口", mode)
        assert listed("tablet")[0]["mode"] == mode


def test_people_are_added_listed_and_disabled(folder: Path) -> None:
    done("office", "add", "中央郵便局")
    output = done(
        "person", "add", "suzuki", "--name", "鈴木", "--role", "clerk", "--office", "中央郵便局"
    )
    assert re.search(r"\n  \d{4} \d{4}\n", output)
    again = done("person", "pin", "suzuki")
    assert re.search(r"\n  \d{4} \d{4}\n", again)
    assert again not in output
    done("person", "add", "yamada", "--name", "山田", "--role", "verifier")
    people = {row["login"]: row for row in listed("person")}
    assert people["suzuki"]["office"] == "中央郵便局"
    assert people["yamada"]["role"] == "verifier"
    assert people["yamada"]["password"] == "none"
    done("person", "disable", "yamada")
    assert {row["login"]: row for row in listed("person")}["yamada"]["disabled_at"]
    assert "disabled" in refused("person", "link", "yamada")
    assert "no person tanaka" in refused("person", "link", "tanaka")


def test_a_clerk_and_nobody_else_has_an_office(folder: Path) -> None:
    done("office", "add", "中央郵便局")
    refused("person", "add", "a", "--name", "a", "--role", "clerk", code=2)
    office = ("--office", "中央郵便局")
    refused("person", "add", "a", "--name", "a", "--role", "verifier", *office, code=2)
    refused("person", "add", "a", "--name", "a", "--role", "mayor", code=2)


def test_a_link_for_the_desk_is_not_for_clerks(folder: Path) -> None:
    done("office", "add", "中央郵便局")
    done("person", "add", "suzuki", "--name", "鈴木", "--role", "clerk", "--office", "中央郵便局")
    assert "on a tablet" in refused("person", "link", "suzuki", "--sign-in")
    assert "/link#" in done("person", "link", "admin", "--sign-in")


@pytest.mark.parametrize("role", ["officer", "auditor"])
def test_a_link_for_the_desk_is_not_for_whoever_has_no_desk(folder: Path, role: str) -> None:
    done("person", "add", "sato", "--name", "架空 花子", "--role", role)
    assert "does not work at the desk" in refused("person", "link", "sato", "--sign-in")
    assert "/password#" in done("person", "link", "sato")


def test_a_tablet_is_added_with_a_code_and_a_picture_of_it(folder: Path) -> None:
    done("office", "add", "中央郵便局")
    output = done("tablet", "add", "１番窓口", "--office", "中央郵便局")
    assert re.search(
        r"  [A-Z2-9]{4}-[A-Z2-9]{4}   http://localhost:8443/enrol#[A-Z2-9-]{9}\n", output
    )
    assert "█" in output
    (tablet,) = listed("tablet")
    assert (tablet["name"], tablet["office"], tablet["enrolled_at"]) == (
        "１番窓口",
        "中央郵便局",
        None,
    )
    again = done("tablet", "enrol-code", "１番窓口")
    assert re.findall(r"[A-Z2-9]{4}-[A-Z2-9]{4}", again)[0] not in output
    done("tablet", "revoke", str(tablet["id"]))
    assert listed("tablet")[0]["revoked_at"]


def test_of_two_tablets_with_one_name_the_id_decides(folder: Path) -> None:
    done("office", "add", "中央郵便局")
    for _ in range(2):
        done("tablet", "add", "窓口", "--office", "中央郵便局")
    assert "give the id" in refused("tablet", "revoke", "窓口")
    assert "no tablet x" in refused("tablet", "revoke", "x")
    assert "no office y" in refused("tablet", "add", "窓口", "--office", "y")


def test_lists_are_aligned_for_people(folder: Path) -> None:
    done("municipality", "add", "ibara", "--name", "井原市", "--telephone", "0866")
    head, one, two = done("municipality", "list").splitlines()
    assert [line.split()[1:3] for line in (head, one, two)] == [
        ["slug", "name"],
        ["ibara", "井原市"],
        ["kasaoka", "笠岡市"],
    ]
    # A wide sign takes two columns, so the Japanese name pushes the rest two signs less.
    assert one.index("0866") == head.index("telephone") - len("井原市")


def test_names_are_sealed_and_commands_need_the_key(folder: Path) -> None:
    content = b"".join(path.read_bytes() for path in (folder / "data").iterdir())
    assert "架空 花子".encode() not in content
    (folder / "keys" / "kek").chmod(0o640)
    assert "0600" in refused("person", "list")
    (folder / "keys" / "kek").unlink()
    assert "cannot be read" in refused("person", "list")


def test_the_key_may_come_from_the_environment(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kek = folder / "keys" / "kek"
    monkeypatch.setenv("MADOGUCHI_KEK", kek.read_text("ascii"))
    kek.unlink()
    assert listed("person")[0]["name"] == "架空 花子"


def test_everything_is_readable_after_the_key_was_changed(folder: Path) -> None:
    (key,) = json.loads(done("audit", "key", "--json"))
    assert "1 個の鍵" in done("keys", "rotate")
    assert listed("person")[0]["name"] == "架空 花子"
    assert json.loads(done("audit", "key", "--json")) == [key]
    assert len(list((folder / "keys").iterdir())) == 2


def test_the_key_is_not_changed_under_a_running_service(folder: Path) -> None:
    control = ControlFolder(folder / "data" / "media")
    control.lock()
    assert "another server runs" in refused("keys", "rotate")
    control.close()
    done("keys", "rotate")


def test_a_key_of_the_environment_is_not_changed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MADOGUCHI_KEK", (folder / "keys" / "kek").read_text("ascii"))
    assert "only a key in a file" in refused("keys", "rotate")


# audit verify


def test_the_log_of_commands_verifies(folder: Path) -> None:
    done("office", "add", "中央郵便局")
    (row,) = json.loads(done("audit", "verify", "--data", folder / "data", "--json"))
    assert (row["entries"], row["error"]) == (3, None)
    (head,) = HeadsFile(folder / "data" / "audit.heads").read().values()
    assert row["head"] == head.link.hex()


def test_the_key_printed_at_the_start_is_asked_for(folder: Path) -> None:
    (row,) = json.loads(done("audit", "key", "--json"))
    verify = ("audit", "verify", "--data", folder / "data", "--key")
    assert command(*verify, row["key"]).exit_code == 1
    asyncio.run(sign_newest(folder, row["key"]))
    assert row["key"] in done(*verify, row["key"])
    assert "unknown key" in command(*verify, "00" * 32).stdout
    refused(*verify, "abc", code=2)


def test_an_export_is_verified_without_the_database(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "log.jsonl"
    done("audit", "export", "--data", folder / "data", file)
    assert "cannot be made" in refused("audit", "export", "--data", folder / "data", file)
    of_data = done("audit", "verify", "--data", folder / "data", "--json")
    assert done("audit", "verify", "--from", file, "--json") == of_data
    file.write_text(file.read_text("utf-8").replace("administrator", "auditor"), "utf-8")
    result = command("audit", "verify", "--from", file)
    assert (result.exit_code, "position 2:" in result.stdout) == (1, True)
    file.write_bytes(b"\xff")
    assert "not UTF-8" in refused("audit", "verify", "--from", file)
    refused("audit", "verify", code=2)


async def sign_newest(folder: Path, key: str) -> None:
    """Sign the log as the server does."""
    house = make_house(Settings.load(folder / "madoguchi.toml"))
    (home,) = await house.people.municipalities()
    signed = await AuditSigning(house.people, house.audit).sign(home.id, datetime.now(UTC))
    assert signed is not None
    assert signed.key.hex() == key
    await house.database.engine.dispose()


def test_a_broken_log_exits_with_1_and_names_the_position(folder: Path) -> None:
    done("office", "add", "中央郵便局")
    connection = sqlite3.connect(folder / "data" / "madoguchi.sqlite")
    connection.execute("DROP TRIGGER audit_entry_no_update")
    connection.execute("UPDATE audit_entry SET link = zeroblob(32) WHERE position = 2")
    connection.commit()
    connection.close()
    result = command("audit", "verify", "--data", folder / "data")
    assert result.exit_code == 1
    assert "position 2:" in result.stdout
    assert "does not verify" in result.stderr


def test_verifying_needs_a_database_and_makes_none(tmp_path: Path) -> None:
    assert "no madoguchi.sqlite" in refused("audit", "verify", "--data", tmp_path)
    assert list(tmp_path.iterdir()) == []
    refused("audit", "verify", "--data", tmp_path / "none", code=2)


# The rest


def test_wrong_settings_exit_with_2_and_every_line(folder: Path) -> None:
    config = folder / "madoguchi.toml"
    config.write_text("[server]\nport = 'x'\nprot = 1\n", "utf-8")
    for words in (("person", "list"), ("serve",)):
        message = refused(*words, code=2)
        assert f"{config}:2: server.port: found " in message
        assert f"{config}:3: server.prot: found " in message


def test_commands_without_init_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "madoguchi.toml" in refused("person", "list", code=2)
    (tmp_path / "madoguchi.toml").touch()
    for words in (("person", "list"), ("serve",)):
        assert "madoguchi init" in refused(*words)
    assert [path.name for path in tmp_path.iterdir()] == ["madoguchi.toml"]


def test_serving_needs_a_readable_certificate(folder: Path) -> None:
    config = folder / "madoguchi.toml"
    config.write_text("[server]\ntls_certificate = 'c.pem'\ntls_key = 'k.pem'\n", "utf-8")
    assert "c.pem cannot be read" in refused("serve")


@pytest.mark.parametrize("kind", ["not PEM", "another key", "locked key"])
def test_a_tls_key_that_does_not_fit_is_told_in_one_sentence(folder: Path, kind: str) -> None:
    certificate, key = folder / "c.pem", folder / "k.pem"
    certificate.write_bytes(issue(("127.0.0.1",), now=datetime.now(UTC)).chain)
    if kind == "not PEM":
        key.write_text("no key")
    else:
        other = ec.generate_private_key(ec.SECP256R1())
        lock = (
            serialization.BestAvailableEncryption(b"secret")
            if kind == "locked key"
            else serialization.NoEncryption()
        )
        form = serialization.PrivateFormat.PKCS8
        key.write_bytes(other.private_bytes(serialization.Encoding.PEM, form, lock))
    config = folder / "madoguchi.toml"
    config.write_text("[server]\ntls_certificate = 'c.pem'\ntls_key = 'k.pem'\n", "utf-8")
    message = refused("serve")
    assert "cannot be used for TLS" in message
    assert len(message.splitlines()) == 1


@pytest.mark.parametrize(
    ("section", "kind"), [("server", socket.SOCK_STREAM), ("media", socket.SOCK_DGRAM)]
)
def test_a_port_that_is_taken_is_told_in_one_sentence(
    folder: Path, section: str, kind: socket.SocketKind
) -> None:
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", 0))
        if kind is socket.SOCK_STREAM:
            taken.listen()
        ports = {"server": 0, "media": 0} | {section: taken.getsockname()[1]}
        (folder / "madoguchi.toml").write_text(
            "".join(f"[{name}]\nhost = '127.0.0.1'\nport = {n}\n" for name, n in ports.items())
        )
        message = refused("serve")
    assert "cannot be opened: Address already in use" in message
    assert len(message.splitlines()) == 1
    assert not list((folder / "data").glob("*-wal"))


def test_serving_under_another_key_is_refused_in_one_sentence(folder: Path) -> None:
    (folder / "keys" / "kek").unlink()
    KeyEncryptionKey.generate().write_file(folder / "keys" / "kek")
    message = refused("serve")
    assert "another key-encryption key" in message
    assert len(message.splitlines()) == 1


def test_help_names_every_command() -> None:
    output = done("--help")
    for name in ("init", "serve", "demo", "municipality", "office", "person", "tablet", "audit"):
        assert f"\n  {name} " in output
    assert "No such command" in refused("frobnicate", code=2)


async def media_process(data: Path) -> OsProcess | None:
    """Return the media process of a service, None when there is none."""
    control = ControlFolder(data / "media")
    found = RemoteNode.listener(control.socket(0))
    control.close()
    return found


async def test_serve_runs_until_told_to_stop_and_commands_work_beside_it(folder: Path) -> None:
    config = folder / "madoguchi.toml"
    config.write_text("[server]\nport = 0\n[media]\nport = 0\n", "utf-8")
    log = folder / "log"
    with log.open("wb") as stderr:
        process = await asyncio.create_subprocess_exec(
            *(*PROGRAM, "serve", "--config", str(config)), stderr=stderr
        )
    async with asyncio.timeout(30):
        while "serving at" not in log.read_text("utf-8"):
            await asyncio.sleep(0.05)
            assert process.returncode is None, log.read_text("utf-8")
    office = ["office", "add", "中央郵便局", "--config", str(config)]
    added = await asyncio.to_thread(subprocess.run, [*PROGRAM, *office], capture_output=True)
    assert added.returncode == 0, added.stderr
    process.terminate()
    async with asyncio.timeout(20):
        assert await process.wait() == 0, log.read_text("utf-8")
    media = await media_process(folder / "data")
    assert media is not None  # it waits for the next start
    await media.kill()
    media.close()
    assert "Traceback" not in log.read_text("utf-8")
    assert not list((folder / "data").glob("*-wal"))


async def test_a_media_process_that_was_started_by_hand_is_taken_up_by_the_server(
    folder: Path,
) -> None:
    config = folder / "madoguchi.toml"
    config.write_text("[server]\nport = 0\n[media]\nport = 0\n", "utf-8")
    settings = Settings.load(config)
    own = process_config(settings, 0)
    log = folder / "log"
    with log.open("wb") as stderr:
        process = await asyncio.create_subprocess_exec(
            *(*PROGRAM, "media", "--config", str(config), "--index", "0"), stderr=stderr
        )
    async with asyncio.timeout(30):
        while "serves on port" not in log.read_text("utf-8"):
            await asyncio.sleep(0.05)
            assert process.returncode is None, log.read_text("utf-8")
    fleet = Fleet(
        (own.settings,),
        own.folder,
        Events(),
        resume_seconds=own.resume_seconds,
        ends_with_us=lambda: True,
    )
    await fleet.start()
    await fleet.open_call("call-1")
    found = fleet._keepers[0].node
    assert found is not None
    assert found.process.pid == process.pid
    await fleet.stop()
    async with asyncio.timeout(20):
        await process.wait()  # its code is whoever's buries it first: ours or the fleet's
    assert "Traceback" not in log.read_text("utf-8")
    said = refused("media", "--config", config, "--index", "1", code=2)
    assert "[media] processes is 1" in said


# training and retention


def test_a_training_is_written_down_and_not_for_a_day_to_come(folder: Path) -> None:
    login = str(listed("person")[0]["login"])
    assert listed("person")[0]["trained_on"] is None
    done("person", "train", login, "--on", "2026-01-05")
    assert listed("person")[0]["trained_on"] == "2026-01-05"
    assert "yet to come" in refused("person", "train", login, "--on", "2999-01-01", code=2)
    assert listed("person")[0]["trained_on"] == "2026-01-05"


def test_nothing_is_due_before_a_policy_says_so(folder: Path) -> None:
    assert json.loads(done("retention", "run", "--dry-run", "--json")) == []
    assert json.loads(done("retention", "run", "--json")) == []
    assert json.loads(done("retention", "proofs", "--json")) == []
