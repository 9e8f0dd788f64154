"""What settings leave out is said in words, by `madoguchi check` and at every start."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from server.check.finding import State
from server.check.machine import passkeys
from server.cli.root import commands
from server.settings import Settings
from server.settings_notes import notes


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "no [server] public_url"),
        ("https://192.0.2.7:8443", "is an IP address, they need a domain name"),
        ("https://[2001:db8::7]", "is an IP address, they need a domain name"),
        ("http://127.0.0.1:8443", "is an IP address, they need a domain name"),
        ("https://madoguchi.example.lg.jp", ""),
        ("http://localhost:8443", ""),
    ],
)
def test_an_address_without_passkeys_is_said_in_words(tmp_path: Path, url: str, words: str) -> None:
    file = tmp_path / "madoguchi.toml"
    file.write_text(f'[server]\npublic_url = "{url}"\n' if url else "", "utf-8")
    found = list(passkeys(Settings.load(file)))
    assert [one.state for one in found] == [State.WARNING if words else State.OK]
    assert words in found[0].text
    assert len(notes(Settings.load(file))) == (1 if words else 0)


def test_a_mistake_is_refused_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "madoguchi.toml"
    file.write_text('[server]\npublic_url = "http://madoguchi.example.lg.jp"\n', "utf-8")
    result = CliRunner().invoke(commands, ["check", "--config", str(file)])
    assert result.exit_code == 1
    assert f"{file}:2: server.public_url" in result.stdout
