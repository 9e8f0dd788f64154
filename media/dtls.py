"""The DTLS server of one connection, in memory: datagrams in, datagrams and keys out.

Synchronous and without a socket. OpenSSL's memory BIO knows no datagrams, so what it writes is cut
at record borders (RFC 6347 section 4.1). `now` is monotonic seconds.
"""

import enum
import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from media.libs import DTLS_1_2, PROFILES, SSL, SrtpSession

MTU = 1200
RECORD_HEADER_BYTES = 13
MAX_FLIGHTS = 5
FLIGHT_WINDOW_SECONDS = 10.0
GIVE_UP_SECONDS = 30.0
# No datagram of ours holds more records: the shortest is 38 bytes, the longest datagram 2,048.
MAX_RECORDS = 64

_CIPHERS = (
    b"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES256-GCM-SHA384:"
    b"ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-CHACHA20-POLY1305"
)


class DtlsState(enum.Enum):
    """How far the handshake is."""

    WAITING = "waiting"
    UP = "up"
    FAILED = "failed"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Identity:
    """The engine's certificate for one run: TLS context and SHA-256 fingerprint in colon form."""

    context: SSL.Context
    fingerprint: str


def new_identity(now: datetime) -> Identity:
    """Return a fresh self-signed P-256 certificate, ready for use."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "madoguchi")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now.astimezone(UTC) - timedelta(days=1))
        .not_valid_after(now.astimezone(UTC) + timedelta(days=3650))
        .sign(key, hashes.SHA256())
    )
    context = SSL.Context(SSL.DTLS_METHOD)
    context.set_options(SSL.OP_NO_TICKET | SSL.OP_NO_QUERY_MTU)
    context.set_max_proto_version(DTLS_1_2)
    context.set_min_proto_version(DTLS_1_2)
    # Any certificate passes here; its fingerprint is compared with the offer's afterwards.
    context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, lambda *_: True)
    context.use_certificate(certificate)
    context.use_privatekey(key)
    context.set_cipher_list(_CIPHERS)
    context.set_tlsext_use_srtp(b":".join(profile[0] for profile in PROFILES))
    digest = certificate.fingerprint(hashes.SHA256()).hex(":").upper()
    return Identity(context, digest)


def cut_records(flight: bytes) -> list[bytes]:
    """Return `flight` as datagrams of whole records, each up to the MTU if a record fits."""
    datagrams: list[bytes] = []
    begin = position = 0
    while position + RECORD_HEADER_BYTES <= len(flight):
        length = int.from_bytes(flight[position + 11 : position + 13], "big")
        end = position + RECORD_HEADER_BYTES + length
        if end - begin > MTU and position > begin:
            datagrams.append(flight[begin:position])
            begin = position
        position = end
    if begin < len(flight):
        datagrams.append(flight[begin:])
    return datagrams


class Flights:
    """Allows five flights in any 10 s: repeating is answered, but not without end."""

    __slots__ = ("_sent_at",)

    def __init__(self) -> None:
        self._sent_at: list[float] = []

    def __len__(self) -> int:
        return len(self._sent_at)

    def allow(self, now: float) -> bool:
        """Count a flight at `now` and tell whether it may go."""
        self._sent_at = [t for t in self._sent_at if now - t < FLIGHT_WINDOW_SECONDS]
        if len(self._sent_at) >= MAX_FLIGHTS:
            return False
        self._sent_at.append(now)
        return True


@dataclass(frozen=True, slots=True, repr=False)
class Keys:
    """What the handshake gave: libsrtp's profile; key and salt of what comes and of what goes."""

    profile: int
    inbound: bytes
    outbound: bytes


class Dtls:
    """One handshake. `keys` and `inbound`, which opens RTCP, are there once `state` is `UP`."""

    def __init__(
        self, identity: Identity, fingerprints: tuple[tuple[str, bytes], ...], *, now: float
    ) -> None:
        self.state = DtlsState.WAITING
        self.keys: Keys | None = None
        self.inbound: SrtpSession | None = None
        self._fingerprints = fingerprints
        self._started_at = now
        self._flights = Flights()
        self._ssl = SSL.Connection(identity.context, None)
        self._ssl.set_ciphertext_mtu(MTU)
        self._ssl.set_accept_state()

    def receive(self, datagram: bytes, *, now: float) -> list[bytes]:
        """Take one datagram and return the datagrams to send back.

        Any bytes are harmless. `state` may change; `FAILED` and `CLOSED` are final.
        """
        if self.state in (DtlsState.FAILED, DtlsState.CLOSED):
            return []
        try:
            self._ssl.bio_write(datagram)
            if self.state is DtlsState.WAITING:
                self._handshake()
        except SSL.WantReadError:
            pass
        except SSL.Error:
            self.state = DtlsState.FAILED
        if self.state is DtlsState.UP:
            self._read_all()
        return self._written(now)

    def _read_all(self) -> None:
        """Read all that is there, lest it pile up: alerts count, and a repeated last flight is
        answered inside; application data, of which there is none in a call, is dropped.
        """
        for _ in range(MAX_RECORDS):
            try:
                self._ssl.recv(2048)
            except SSL.WantReadError:
                return
            except SSL.ZeroReturnError:
                self.state = DtlsState.CLOSED
                return
            except SSL.Error:
                continue  # OpenSSL drops what does not authenticate

    def expire(self, *, now: float) -> None:
        """Give up a handshake that has not ended within 30 s, whether it ever began or not."""
        if self.state is DtlsState.WAITING and now - self._started_at > GIVE_UP_SECONDS:
            self.state = DtlsState.FAILED

    def forget_keys(self) -> None:
        """Let go of the keys, which nobody is to use any more."""
        self.keys = self.inbound = None

    def tick(self, *, now: float) -> list[bytes]:
        """Return what the retransmission timer wants sent; to be called every 100 ms or so."""
        if self.state is not DtlsState.WAITING or not len(self._flights):
            return []
        due = self._ssl.DTLSv1_get_timeout()
        if due is None or due > 0:
            return []
        try:
            self._ssl.DTLSv1_handle_timeout()
        except SSL.Error:
            self.state = DtlsState.FAILED
        return self._written(now)

    def goodbye(self, *, now: float) -> list[bytes]:
        """Return the datagrams that tell the other side that it is over."""
        if self.state is not DtlsState.UP:
            return []
        self.state = DtlsState.CLOSED
        try:
            self._ssl.shutdown()
        except SSL.Error:
            return []
        return self._written(now)

    def _handshake(self) -> None:
        self._ssl.do_handshake()
        certificate = self._ssl.get_peer_certificate(as_cryptography=True)
        if certificate is None or not self._is_expected(certificate):
            self.state = DtlsState.FAILED
            return
        self._take_keys()

    def _is_expected(self, certificate: x509.Certificate) -> bool:
        """Tell whether the certificate is the offer's: all of its known fingerprints fit."""
        der = certificate.public_bytes(encoding=serialization.Encoding.DER)
        return all(
            hmac.compare_digest(hashlib.new(name.replace("-", ""), der).digest(), digest)
            for name, digest in self._fingerprints
        )

    def _take_keys(self) -> None:
        chosen = self._ssl.get_selected_srtp_profile()
        found = next((x for x in PROFILES if x[0] == chosen), None)
        if found is None:
            self.state = DtlsState.FAILED
            return
        _, profile, key_bytes, salt_bytes = found
        material = self._ssl.export_keying_material(
            b"EXTRACTOR-dtls_srtp", 2 * (key_bytes + salt_bytes)
        )
        keys, salts = material[: 2 * key_bytes], material[2 * key_bytes :]
        client = keys[:key_bytes] + salts[:salt_bytes]
        server = keys[key_bytes:] + salts[salt_bytes:]
        self.keys = Keys(profile, client, server)
        self.inbound = SrtpSession(client, profile, inbound=True)
        self.state = DtlsState.UP

    def _written(self, now: float) -> list[bytes]:
        try:
            flight = self._ssl.bio_read(65536)
        except SSL.Error:
            return []
        return cut_records(flight) if self._flights.allow(now) else []
