"""What the documents point at is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = [
    "README.md",
    "CHANGELOG.md",
    "security/THREATS.md",
    "security/crypto/FORMAT.md",
    "security/audit/FORMAT.md",
    "server/api/PROTOCOL.md",
    "media/CONTROL.md",
    "server/db/SCHEMA.md",
    "server/procedures/FORMAT.md",
    "static/DEVICES.md",
]


def test_every_threat_points_at_a_file_of_tests_that_exists() -> None:
    text = (ROOT / "security/THREATS.md").read_text("utf-8")
    named = set(re.findall(r"tests/[\w/.]+", text))
    missing = sorted(name for name in named if not (ROOT / name.rstrip(".")).is_file())
    assert named
    assert not missing, "a folder is no proof: name the file"


@pytest.mark.parametrize("folder", ["server", "tests", "tools"])
def test_no_connection_asks_a_server_on_the_internet(folder: str) -> None:
    """aiortc's default would ask a public STUN server for every connection."""
    found = sorted(
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / folder).rglob("*.py")
        if re.search(r"\bRTCPeerConnection\(\s*\)", path.read_text("utf-8"))
    )
    assert found == []


def test_every_link_of_the_readme_leads_somewhere() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    links = re.findall(r"\]\(([^)]+)\)", text)
    assert links
    assert not [link for link in links if not (ROOT / link).exists()]


@pytest.mark.parametrize("name", [n for n in DOCUMENTS if n not in ("README.md", "CHANGELOG.md")])
def test_every_document_says_when_to_revise_it(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    assert re.search(r"Revise this\b.* when ", text)


def test_the_readme_shows_every_top_folder() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    for folder in ("static", "server", "media", "chat", "files", "security", "tests", "tools"):
        assert f"\n{folder}/" in text


@pytest.mark.parametrize("folder", ["server", "media", "chat", "files", "security", "static"])
def test_no_source_names_a_package_registry(folder: str) -> None:
    forbidden = ("pypi.org", "npmjs.", "debian.org", "pythonhosted")
    for path in (ROOT / folder).rglob("*"):
        if path.suffix in {".py", ".js", ".md", ".html", ".css", ".toml", ".json"}:
            if "vendor" in path.parts:
                continue
            text = path.read_text("utf-8")
            assert not [word for word in forbidden if word in text], path


COMPONENTS = {
    "server (HTTP, WebSocket)",
    "media process",
    "relay",
    "audit log",
    "policy and gate",
    "officer's page",
    "syslog",
    "tablet",
    "keys and data at rest",
    "records",
    "hooks, outbox",
    "plug-ins",
    "tokens, REST",
    "counts",
    "administration",
    "開始前点検",
}


def test_every_row_of_a_threat_has_its_five_cells() -> None:
    text = (ROOT / "security/THREATS.md").read_text("utf-8")
    part = text.partition("## 3. Rows")[2].partition("## 4.")[0]
    rows = [line for line in part.splitlines() if line.startswith("|")]
    wrong = [row for row in rows[2:] if not row.endswith(" |") or row.count(" | ") != 3]
    assert rows
    assert not wrong


def test_every_component_has_a_test_for_every_letter_of_stride() -> None:
    text = (ROOT / "security/THREATS.md").read_text("utf-8")
    part = text.partition("## 4. By component")[2].partition("## 5.")[0]
    rows = [line.strip("| ").split(" | ") for line in part.splitlines() if line.startswith("|")]
    assert rows[0] == ["component", *"STRIDE"]
    assert {row[0] for row in rows[2:]} == COMPONENTS
    for row in rows[2:]:
        assert len(row) == 7, row[0]
        missing = [name for name in row[1:] if not (ROOT / name).is_file()]
        assert not missing, f"{row[0]} points at tests that are not there: {missing}"
