"""The settings file: what fits is taken, what does not is refused with its line, all at once."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from security.values import Section
from server.settings import Settings
from server.settings_file import Problem, SettingsError, field_schema, parse_settings
from server.settings_text import settings_text
from server.toml_positions import find_positions

HERE = Path("/srv/madoguchi")


def parse(text: str | bytes) -> Settings:
    """Return the settings of a text."""
    content = text if isinstance(text, bytes) else text.encode()
    return parse_settings(Settings, content, file="m.toml", folder=HERE)


def refusal(text: str | bytes) -> list[str]:
    """Return the lines of the refusal of a text."""
    with pytest.raises(SettingsError) as caught:
        parse(text)
    return caught.value.message.splitlines()


def sections() -> dict[str, type[BaseModel]]:
    """Return every section's model by name."""
    found: dict[str, type[BaseModel]] = {}
    for name, info in Settings.model_fields.items():
        # Of some sections there is one for each name.
        named = get_args(info.annotation)
        model = named[1] if named else info.annotation
        assert isinstance(model, type)
        assert issubclass(model, Section)
        found[name] = model
    return found


def whole_numbers() -> list[tuple[str, str, int, int]]:
    """Return section, name, lowest and highest of every whole number."""
    root: Mapping[str, Any] = Settings.model_json_schema()
    return [
        (section, name, schema["minimum"], schema["maximum"])
        for section, reference in root["properties"].items()
        for name, schema in field_schema(reference, root).get("properties", {}).items()
        if schema.get("type") == "integer"
    ]


def test_an_empty_file_gives_the_defaults_beside_the_file() -> None:
    settings = parse("")
    assert settings.data.folder == HERE / "data"
    assert settings.keys.kek_file == HERE / "keys" / "kek"
    assert settings.calls.resume_seconds == 120
    assert settings.media.node().announce == ("127.0.0.1",)
    assert settings.sessions.limits().idle.total_seconds() == 900


def test_paths_are_relative_to_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "there").mkdir()
    file = tmp_path / "there" / "m.toml"
    file.write_text('[data]\nfolder = "calls"\n[keys]\nkek_file = "/etc/kek"\n', "utf-8")
    monkeypatch.chdir(tmp_path)
    settings = Settings.load(Path("there/m.toml"))
    assert settings.data.folder == tmp_path / "there" / "calls"
    assert settings.keys.kek_file == Path("/etc/kek")


@pytest.mark.parametrize(("section", "name", "lowest", "highest"), whole_numbers())
def test_numbers_fit_up_to_their_limits_and_no_further(
    section: str, name: str, lowest: int, highest: int
) -> None:
    for good in (lowest, highest):
        assert getattr(getattr(parse(f"[{section}]\n{name} = {good}"), section), name) == good
    for bad in (lowest - 1, highest + 1):
        assert refusal(f"\n[{section}]\n{name} = {bad}") == [
            f"m.toml:3: {section}.{name}: found {bad}, "
            f"allowed a whole number from {lowest} to {highest}"
        ]


@pytest.mark.parametrize("value", ["true", '"120"', "120.0", "2026-11-23", "[120]", "{a = 1}"])
def test_a_number_of_another_kind_is_refused(value: str) -> None:
    (line,) = refusal(f"[calls]\nresume_seconds = {value}")
    assert line.startswith("m.toml:2: calls.resume_seconds: found ")
    assert line.endswith("allowed a whole number from 10 to 600")


def test_everything_that_is_wrong_is_said_at_once() -> None:
    text = """
x = 1
[server]
host = "here"
prot = 3
port = 1
port = 70000
tls_key = "key.pem"
origins = ["https://A.example:443/", "http://a.example", 3]
[media]
host = "::"
[data]
folder = 3
[calls]
ring_seconds = 4
[calls]
[[files]]
"""
    said = [line.split(": found ")[0] for line in refusal(text)]
    assert said == [
        "m.toml:2: x",
        "m.toml:4: server.host",
        "m.toml:5: server.prot",
        "m.toml:7: server.port",
        "m.toml:8: server.tls_key",
        "m.toml:9: server.origins[1]",
        "m.toml:9: server.origins[2]",
        "m.toml:10: media.announce",
        "m.toml:13: data.folder",
        "m.toml:15: calls.ring_seconds",
        "m.toml:16: calls",
        "m.toml:17: files",
    ]


def test_a_duplicate_names_both_lines() -> None:
    assert refusal("[calls]\nring_seconds = 5\n\nring_seconds = 5\n") == [
        "m.toml:4: calls.ring_seconds: found it again, after line 2, allowed each key once"
    ]


def test_an_unknown_key_is_told_what_is_known() -> None:
    assert refusal("[calls]\nring_second = 5") == [
        "m.toml:2: calls.ring_second: found an unknown key, "
        "allowed only resume_seconds, ring_seconds"
    ]


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("[calls\nring_seconds = 5", "m.toml:1: file"),
        ("[calls]\nring_seconds = ", "m.toml:2: file"),
        ("a = 1\n\n= 2", "m.toml:3: file"),
        (b"# \xff", "m.toml:1: file"),
        (b"\n\n# \xff", "m.toml:3: file"),
        ("a = " + "[" * 50_000, "m.toml:1: file"),
        ("a = " + "9" * 5_000, "m.toml:1: file"),
        ("#" * 300_000, "m.toml:1: file"),
    ],
)
def test_what_is_no_toml_is_refused_with_its_line(text: str | bytes, where: str) -> None:
    assert refusal(text)[0].startswith(where)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="a file that can be read"):
        Settings.load(tmp_path / "none.toml")
    with pytest.raises(SettingsError, match="a file that can be read"):
        Settings.load(tmp_path)


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("https://Madoguchi.Example", "https://madoguchi.example"),
        ("https://a.example:443/", "https://a.example"),
        ("https://a.example:8443", "https://a.example:8443"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://127.0.0.1:80", "http://127.0.0.1"),
        ("https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443"),
    ],
)
def test_an_origin_is_written_as_browsers_send_it(given: str, meant: str) -> None:
    assert parse(f'[server]\npublic_url = "{given}"').server.origins == (meant,)


@pytest.mark.parametrize(
    "origin",
    [
        "",
        "a.example",
        "http://a.example",
        "ftp://a.example",
        "https://",
        "https://a.example/path",
        "https://a.example?x",
        "https://user@a.example",
        "https://a.example:99999",
        "https://a.example:0",
        "https://[1",
        "https://a b",
    ],
)
def test_what_no_browser_would_send_is_no_origin(origin: str) -> None:
    (line,) = refusal(f'[server]\norigins = ["{origin}"]')
    assert line.startswith("m.toml:2: server.origins[0]: found ")


def test_a_certificate_needs_its_key() -> None:
    (line,) = refusal('[server]\ntls_certificate = "c.pem"')
    assert line.startswith("m.toml:1: server.tls_key: found no tls_key")
    settings = parse('[server]\ntls_certificate = "c.pem"\ntls_key = "k.pem"')
    assert settings.server.tls_key == HERE / "k.pem"


def test_listening_everywhere_needs_an_address_to_announce() -> None:
    assert refusal('[media]\nhost = "0.0.0.0"')[0].startswith("m.toml:1: media.announce")
    settings = parse('[media]\nhost = "::"\nannounce = ["192.0.2.1", "2001:db8::1"]')
    assert settings.media.node().announce == ("192.0.2.1", "2001:db8::1")


@given(st.text())
def test_any_text_gives_settings_or_a_refusal(text: str) -> None:
    _give_or_refuse(text.encode("utf-8", "surrogatepass"))


@given(st.binary())
def test_any_bytes_give_settings_or_a_refusal(content: bytes) -> None:
    _give_or_refuse(content)


PIECES = st.sampled_from(
    [
        *("[server]", "[[server]]", "[", "]", "]]", "{", "}", "=", ",", ".", '"', "'", '"""', "#"),
        *("port", "host", "origins", "calls", "[calls]", "ring_seconds", "server.port", '"a"'),
        *("1", "-1", "1e9", "inf", "nan", "true", "2026-11-23", "0x1F", "\n", " ", "\t", "\r\n"),
    ]
)


@given(st.lists(PIECES, max_size=30).map("".join))
def test_anything_like_toml_gives_settings_or_a_refusal(text: str) -> None:
    _give_or_refuse(text.encode())


def _give_or_refuse(content: bytes) -> None:
    problems: tuple[Problem, ...] = ()
    try:
        parse(content)
    except SettingsError as error:
        problems = error.problems or (Problem(0, "nothing said", "", ""),)
    lines = content.count(b"\n") + 1
    assert [problem for problem in problems if not 1 <= problem.line <= lines] == []


@pytest.mark.parametrize(("section", "model"), sections().items())
def test_every_setting_is_described(section: str, model: type[BaseModel]) -> None:
    undescribed = [name for name, info in model.model_fields.items() if not info.description]
    assert undescribed == [], f"[{section}] has settings without a description"
    assert Settings.model_fields[section].description


def test_the_written_file_holds_every_setting_and_means_the_defaults() -> None:
    text = settings_text(Settings, {})
    assert parse(text) == parse("")
    for section, model in sections().items():
        assert f"[{section}]" in text or f"# [{section}.NAME]" in text
        for name in model.model_fields:
            assert f"# {name} = " in text


def test_the_written_file_says_what_was_chosen() -> None:
    folder = 'a "quoted" \\ 窓口 \x7f'
    text = settings_text(
        Settings, {"server.port": 9, "data.folder": folder, "media.announce": ["127.0.0.2"]}
    )
    settings = parse(text)
    assert settings.server.port == 9
    assert settings.data.folder == HERE / folder
    assert settings.media.announce == ("127.0.0.2",)


def test_positions_know_dotted_quoted_and_inline_keys() -> None:
    text = b'a.b = 1\n"c d" = {e = 2, f.g = 3}\n[h.i]\nj = 4\n[[k]]\nl = 5\n[[k]]\nl = 6\n'
    assert find_positions(text).lines == {
        ("a", "b"): 1,
        ("c d",): 2,
        ("c d", "e"): 2,
        ("c d", "f", "g"): 2,
        ("h", "i"): 3,
        ("h", "i", "j"): 4,
        ("k",): 5,
        ("k", 0): 5,
        ("k", 0, "l"): 6,
        ("k", 1): 7,
        ("k", 1, "l"): 8,
    }


@pytest.mark.parametrize(
    "url",
    [
        "turn:relay.example.lg.jp",
        "turn:192.0.2.1:3478?transport=udp",
        "turn:[2001:db8::1]:3478?transport=tcp",
        "turns:relay.example.lg.jp:443?transport=tcp",
    ],
)
def test_addresses_of_a_relay_are_taken_as_browsers_write_them(url: str) -> None:
    settings = parse(f'[relay]\nurls = ["{url}"]\nuse = "only"')
    assert settings.relay.urls == (url,)


@pytest.mark.parametrize(
    "url",
    [
        "stun:a.example",
        "turn:",
        "turn://a",
        "turn:a:0",
        "turn:a:70000",
        "turn:a b",
        "turns:a?transport=udp",
    ],
)
def test_what_is_no_address_of_a_relay_is_refused(url: str) -> None:
    (line,) = refusal(f'[relay]\nurls = ["{url}"]')
    assert line.startswith("m.toml:2: relay.urls[0]: found ")


def test_a_relay_is_used_in_one_of_three_ways_and_needs_an_address() -> None:
    (line,) = refusal('[relay]\nurls = ["turn:a"]\nuse = "always"')
    assert line.endswith('allowed "none", "fallback", "only"')
    (line,) = refusal('[relay]\nuse = "only"')
    assert line == (
        'm.toml:2: relay.use: found "only", allowed at least one address in urls, or "none"'
    )


@pytest.mark.parametrize(
    ("host", "address"),
    [("0.0.0.0", "2001:db8::1"), ("192.0.2.1", "::1"), ("::", "0.0.0.0"), ("::", "ff02::1")],
)
def test_an_address_that_nobody_can_reach_is_not_announced(host: str, address: str) -> None:
    (line,) = refusal(f'[media]\nhost = "{host}"\nannounce = ["192.0.2.1", "{address}"]')
    assert line.startswith(f'm.toml:3: media.announce: found "{address}", allowed ')


def test_a_port_for_both_families_announces_both() -> None:
    settings = parse('[media]\nhost = "::"\nannounce = ["2001:db8::1", "192.0.2.1"]\ntcp = false')
    node = settings.media.node()
    assert node.announce == ("2001:db8::1", "192.0.2.1")
    assert not node.tcp
