"""The handshake in memory, against OpenSSL as a client."""

import time
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives import hashes
from hypothesis import given, settings
from hypothesis import strategies as st
from OpenSSL import SSL

from media.dtls import MTU, Dtls, DtlsState, Flights, Identity, cut_records, new_identity

NOW = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.fixture(scope="module")
def server() -> Identity:
    return new_identity(NOW)


class Browser:
    """A DTLS client with a certificate of its own."""

    def __init__(self, profiles: bytes = b"SRTP_AEAD_AES_128_GCM") -> None:
        identity = new_identity(NOW)
        self.digest = bytes.fromhex(identity.fingerprint.replace(":", ""))
        if profiles:
            identity.context.set_tlsext_use_srtp(profiles)
        self.ssl = SSL.Connection(identity.context, None)
        self.ssl.set_ciphertext_mtu(MTU)
        self.ssl.set_connect_state()
        self.done = False

    @property
    def fingerprints(self) -> tuple[tuple[str, bytes], ...]:
        return (("sha-256", self.digest),)

    def step(self, datagrams: list[bytes]) -> list[bytes]:
        for datagram in datagrams:
            self.ssl.bio_write(datagram)
            self._advance()
        if not datagrams:
            self._advance()
        try:
            return cut_records(self.ssl.bio_read(65536))
        except SSL.WantReadError:
            return []

    def _advance(self) -> None:
        try:
            self.ssl.do_handshake()
            self.done = True
        except SSL.WantReadError:
            pass


def shake(browser: Browser, dtls: Dtls) -> None:
    """Carry datagrams to and fro until nobody says anything."""
    flight = browser.step([])
    for _ in range(10):
        back = [reply for datagram in flight for reply in dtls.receive(datagram, now=0.0)]
        flight = browser.step(back) if back else []


@pytest.mark.parametrize("profile", [b"SRTP_AEAD_AES_128_GCM", b"SRTP_AES128_CM_SHA1_80"])
def test_handshake_gives_both_sides_the_same_keys(server: Identity, profile: bytes) -> None:
    browser = Browser(profile)
    dtls = Dtls(server, browser.fingerprints, now=0.0)
    shake(browser, dtls)
    assert browser.done
    assert dtls.state is DtlsState.UP
    assert dtls.inbound is not None
    assert dtls.keys is not None


def test_another_certificate_than_the_offers_is_refused(server: Identity) -> None:
    browser = Browser()
    dtls = Dtls(server, (("sha-256", bytes(32)),), now=0.0)
    shake(browser, dtls)
    assert dtls.state is DtlsState.FAILED
    assert dtls.inbound is None


def test_all_fingerprints_of_the_offer_must_fit(server: Identity) -> None:
    browser = Browser()
    dtls = Dtls(server, (*browser.fingerprints, ("sha-512", bytes(64))), now=0.0)
    shake(browser, dtls)
    assert dtls.state is DtlsState.FAILED


def test_five_flights_may_go_in_any_ten_seconds() -> None:
    flights = Flights()
    allowed = [tenth / 10 for tenth in range(300) if flights.allow(tenth / 10)]
    assert len(allowed) == 15
    assert all(b - a >= 10.0 for a, b in zip(allowed, allowed[5:], strict=False))


def test_a_browser_that_repeats_its_last_flight_is_answered(server: Identity) -> None:
    browser = Browser()
    dtls = Dtls(server, browser.fingerprints, now=0.0)
    hello = browser.step([])
    last = browser.step([r for d in hello for r in dtls.receive(d, now=0.0)])
    assert [r for d in last for r in dtls.receive(d, now=0.0)]  # and these are lost
    wait = browser.ssl.DTLSv1_get_timeout()
    assert wait is not None
    time.sleep(wait + 0.01)  # OpenSSL's own timer, which nothing else moves
    browser.ssl.DTLSv1_handle_timeout()
    again = cut_records(browser.ssl.bio_read(65536))
    answer = [r for d in again for r in dtls.receive(d, now=1.0)]
    browser.step(answer)
    assert browser.done


def test_a_flight_is_cut_into_datagrams_below_the_mtu(server: Identity) -> None:
    browser = Browser()
    dtls = Dtls(server, browser.fingerprints, now=0.0)
    flight = [r for d in browser.step([]) for r in dtls.receive(d, now=0.0)]
    assert flight
    assert max(map(len, flight)) <= MTU
    assert all(datagram[0] == 22 for datagram in flight)


def test_records_are_never_torn() -> None:
    record = b"\x16\xfe\xfd" + bytes(8) + (500).to_bytes(2, "big") + bytes(500)
    parts = cut_records(record * 5)
    assert [len(part) for part in parts] == [2 * 513, 2 * 513, 513]


def test_goodbye_of_the_browser_closes(server: Identity) -> None:
    browser = Browser()
    dtls = Dtls(server, browser.fingerprints, now=0.0)
    shake(browser, dtls)
    browser.ssl.shutdown()
    dtls.receive(browser.ssl.bio_read(4096), now=1.0)
    assert dtls.state is DtlsState.CLOSED


def test_application_data_does_not_pile_up_before_a_goodbye(server: Identity) -> None:
    browser = Browser()
    dtls = Dtls(server, browser.fingerprints, now=0.0)
    shake(browser, dtls)
    for _ in range(100):
        for _ in range(40):
            browser.ssl.send(b"x")
        dtls.receive(browser.ssl.bio_read(65536), now=1.0)
    browser.ssl.shutdown()
    dtls.receive(browser.ssl.bio_read(65536), now=1.0)
    assert dtls.state is DtlsState.CLOSED


def test_our_goodbye_reaches_the_browser(server: Identity) -> None:
    browser = Browser()
    dtls = Dtls(server, browser.fingerprints, now=0.0)
    shake(browser, dtls)
    for datagram in dtls.goodbye(now=1.0):
        browser.ssl.bio_write(datagram)
    with pytest.raises(SSL.ZeroReturnError):
        browser.ssl.recv(100)
    assert dtls.goodbye(now=1.0) == []


@settings(deadline=None, derandomize=True, max_examples=100)
@given(st.lists(st.binary(max_size=100), max_size=5))
def test_any_bytes_are_harmless_before_and_after(noise: list[bytes]) -> None:
    server = _shared_server()
    fresh = Dtls(server, (("sha-256", bytes(32)),), now=0.0)
    for data in noise:
        fresh.receive(b"\x16\xfe\xfd" + data, now=0.0)
        fresh.receive(data, now=0.0)
    assert fresh.state in (DtlsState.WAITING, DtlsState.FAILED)


def test_noise_after_the_handshake_changes_nothing(server: Identity) -> None:
    browser = Browser()
    dtls = Dtls(server, browser.fingerprints, now=0.0)
    shake(browser, dtls)
    for length in range(60):
        dtls.receive(b"\x16\xfe\xfd" + bytes(length), now=1.0)
        dtls.receive(b"\x15\xfe\xfd" + bytes(8) + b"\x00\x02\x02\x28", now=1.0)
    assert dtls.state is DtlsState.UP


def test_fingerprint_is_that_of_the_certificate(server: Identity) -> None:
    browser = Browser()
    shake(browser, Dtls(server, browser.fingerprints, now=0.0))
    certificate = browser.ssl.get_peer_certificate(as_cryptography=True)
    assert certificate is not None
    assert certificate.fingerprint(hashes.SHA256()).hex(":").upper() == server.fingerprint


_server: list[Identity] = []


def _shared_server() -> Identity:
    if not _server:
        _server.append(new_identity(NOW))
    return _server[0]
