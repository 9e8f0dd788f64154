"""`[oidc.NAME]` of the settings file: every mistake with its line and key."""

from pathlib import Path
from typing import Any

import pytest

from server.check.finding import State
from server.check.services import directories
from server.settings import Settings
from server.settings_file import SettingsError
from server.settings_text import settings_text

GOOD = """\
[server]
public_url = "https://madoguchi.example.lg.jp"
[oidc.kasaoka]
issuer = "https://login.example.lg.jp/realm"
client_id = "madoguchi"
groups = { "窓口" = "verifier" }
"""


def load(folder: Path, text: str) -> Settings:
    file = folder / "madoguchi.toml"
    file.write_text(text, encoding="utf-8")
    return Settings.load(file)


def test_a_directory_is_set_by_its_municipalitys_short_name(tmp_path: Path) -> None:
    found = load(tmp_path, GOOD + 'client_secret_file = "keys/oidc"\n').oidc["kasaoka"]
    assert found.groups == {"窓口": "verifier"}
    assert found.client_secret_file == tmp_path / "keys/oidc"
    assert found.local_sign_in


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ('"verifier"', '"officer"', '6: oidc.kasaoka.groups.窓口: found "officer", allowed "ver'),
        ('"verifier"', '"administrator"', "6: oidc.kasaoka.groups.窓口: found"),
        ('{ "窓口" = "verifier" }', "{}", "6: oidc.kasaoka.groups: found an empty table, allowed"),
        ("https://login", "http://login", "4: oidc.kasaoka.issuer: found"),
        ("/realm", "/realm?x=1", "4: oidc.kasaoka.issuer: found"),
        ("https://login", "https://a@login", "4: oidc.kasaoka.issuer: found"),
        ('client_id = "madoguchi"\n', "", "oidc.kasaoka.client_id: found nothing"),
        ("client_id", "client_di", "5: oidc.kasaoka.client_di: found an unknown key"),
        ("[oidc.kasaoka]", "[oidc.Kasaoka]", "3: oidc.Kasaoka: found"),
        ('public_url = "https://madoguchi.example.lg.jp"', 'host = "::"', "oidc: found no server"),
    ],
)
def test_a_mistake_is_told_with_its_line(
    tmp_path: Path, before: str, after: str, told: str
) -> None:
    assert before in GOOD
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, GOOD.replace(before, after))
    assert told in str(caught.value)


def test_a_new_settings_file_explains_directories(tmp_path: Path) -> None:
    text = settings_text(Settings, {})
    assert "# [oidc.NAME]" in text
    assert load(tmp_path, text).oidc == {}


async def test_the_check_asks_directories(openid: Any, start_openid: Any, tmp_path: Path) -> None:
    openid.setup(["http://localhost:1/signed-in/kasaoka"])
    gone = start_openid()
    gone.stop()
    set_up = {"kasaoka": openid.settings(tmp_path), "okayama": gone.settings(tmp_path)}
    settings = Settings.model_validate({"oidc": set_up})
    found = [one async for one in directories(settings, ["kasaoka", "okayama"])]
    assert [one.state for one in found] == [State.OK, State.FAULT]
    found = [one async for one in directories(settings, ["okayama"])]
    assert "no such municipality" in found[0].text
