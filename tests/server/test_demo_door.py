"""The demo's door to the local network, here on loopback, and what the demo prints."""

import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from server.app import running_service
from server.demo import printout
from server.demo.authority import fingerprint
from server.demo.lan import Door, choose_door, free_port, lan_address, open_door
from server.demo.report import Report
from server.demo.seed import settings_for, sow

ADDRESS = "127.0.0.1"
LINKS = printout.Links("http://localhost:1/link#c", "http://localhost:1/link#d")


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    made = choose_door(ADDRESS)
    settings = settings_for(tmp_path / "data", origins=(made.origin,))
    async with running_service(settings) as service:
        now = service.parts.clock()
        async with open_door(service, made, tmp_path, now=now):
            yield made


async def test_a_tablet_fetches_the_authority_and_then_trusts_the_pages(door: Door) -> None:
    async with aiohttp.ClientSession() as http:
        async with http.get(door.authority_url) as answer:
            assert answer.content_type == "application/x-x509-ca-cert"
            authority = await answer.text()
        trusting = ssl.create_default_context(cadata=authority)
        async with http.get(f"{door.origin}/healthz", ssl=trusting) as answer:
            assert await answer.json() == {"status": "ok"}
            assert "Strict-Transport-Security" not in answer.headers


async def test_a_page_behind_the_door_may_use_its_link(door: Door) -> None:
    async with aiohttp.ClientSession() as http:
        headers = {"Origin": door.origin}
        body = {"token": "unknown"}
        url = f"{door.origin}/api/v1/links"
        async with http.post(url, json=body, headers=headers, ssl=False) as answer:
            assert (await answer.json())["error"]["code"] == "link_used"


def test_a_taken_port_is_left_for_a_free_one() -> None:
    first = free_port(ADDRESS, 0)
    import socket

    with socket.socket() as holder:
        holder.bind((ADDRESS, first))
        holder.listen()
        assert free_port(ADDRESS, first) != first


def test_the_address_on_the_network_is_never_loopback() -> None:
    address = lan_address()
    assert address is None or not address.startswith("127.")


async def test_seeding_twice_finds_what_was_made(tmp_path: Path) -> None:
    async with running_service(settings_for(tmp_path / "data")) as service:
        first = await sow(service.parts.people)
        assert await sow(service.parts.people) == first
        assert len(await service.parts.people.municipalities()) == 1


@pytest.mark.parametrize(
    "text",
    [
        printout.welcome("http://localhost:1", LINKS, resident=True, kept_in=None),
        printout.welcome("http://localhost:1", LINKS, resident=False, kept_in="/srv/x"),
        printout.network("https://192.0.2.7:8443/link#t", "http://192.0.2.7/ca", "AA:BB"),
        printout.no_network(),
        printout.more_links(),
    ],
    ids=["resident", "kept", "network", "no-network", "more"],
)
def test_everything_is_said_in_japanese_and_in_english(text: str) -> None:
    assert any("\u3041" <= letter <= "\u30ff" for letter in text)
    assert any(word in text for word in ("the", "this", "for", "is"))


def test_data_that_stay_are_not_said_to_vanish() -> None:
    text = printout.welcome("http://localhost:1", LINKS, resident=False, kept_in="/srv/x")
    assert "No data is kept" not in text
    assert "/srv/x" in text


def test_the_qr_code_is_drawn_in_blocks() -> None:
    text = printout.network("https://192.0.2.7:8443/link#t", "http://192.0.2.7/ca", "AA:BB")
    assert text.count("█") > 100


def test_a_failed_check_names_its_errors_to_people() -> None:
    text = printout.report_lines(Report(errors=["see each other: TimeoutError"]))
    assert "! see each other: TimeoutError" in text
    assert "something is wrong" in text


def test_a_fingerprint_needs_a_certificate() -> None:
    with pytest.raises(ValueError, match="PEM"):
        fingerprint(b"nothing")
