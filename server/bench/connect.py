"""One connection of the load: an offer, a check, a DTLS handshake, and the keys for the loop.

Speaks to any ICE-lite server: it checks and nominates, and is the DTLS client.
"""

import asyncio
import re
import secrets
import socket
from dataclasses import dataclass
from typing import Any

from aioice import stun

from media.dtls import Identity, cut_records
from media.libs import PROFILES, SSL, SrtpSession
from security.errors import Unavailable
from server.bench.load import KINDS, Connected

LOOPBACK = "127.0.0.1"
WITHIN_SECONDS = 20.0
REPEAT_SECONDS = 0.2
BUFFER_BYTES = 4 * 1024 * 1024
PAYLOAD_TYPES = {"audio": 111, "video": 96}
RTX_TYPE = 97
MIDS = {"audio": "0", "video": "1"}
EXTENSIONS = {
    "level": "urn:ietf:params:rtp-hdrext:ssrc-audio-level",
    "time": "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
    "count": "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
    "mid": "urn:ietf:params:rtp-hdrext:sdes:mid",
}
IDS = {name: number for number, name in enumerate(EXTENSIONS, 1)}


@dataclass(frozen=True, slots=True)
class Remote:
    """What the other side's SDP says of its transport."""

    ufrag: str
    password: str
    address: tuple[str, int]


def read_remote(sdp: str, host: str) -> Remote:
    """Return the transport of an SDP with a candidate over UDP at `host`. Raises `Unavailable`."""
    ufrag, password = re.search(r"a=ice-ufrag:(\S+)", sdp), re.search(r"a=ice-pwd:(\S+)", sdp)
    candidate = re.search(rf"a=candidate:\S+ 1 udp \d+ {re.escape(host)} (\d+) typ host", sdp, re.I)
    if not (ufrag and password and candidate):
        raise Unavailable(f"the server's SDP has no credentials or no UDP candidate at {host}")
    return Remote(ufrag[1], password[1], (host, int(candidate[1])))


def _extension_ids(sdp: str) -> dict[str, int]:
    """Return the ids of those of our extensions that the server takes too."""
    agreed = {uri: int(number) for number, uri in re.findall(r"a=extmap:(\d+)\S* (\S+)", sdp)}
    return {name: agreed[uri] for name, uri in EXTENSIONS.items() if uri in agreed}


class Leg:
    """A connection in the making. `direction` is that of both its lines.

    `host` is the only address that it sends to: loopback, or one of a namespace of the caller's.
    """

    def __init__(
        self, identity: Identity, *, direction: str = "sendrecv", host: str = LOOPBACK
    ) -> None:
        self.direction = direction
        self._host = host
        self.ssrcs = {kind: secrets.randbits(31) + 1 for kind in KINDS}
        self.rtx_ssrc = secrets.randbits(31) + 1
        self._identity = identity
        self._ufrag, self._password = secrets.token_hex(4), secrets.token_hex(12)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
        self._socket.bind((host, 0))
        self._remote: Remote | None = None
        self.profile = ""

    @property
    def port(self) -> int:
        """Our UDP port."""
        return int(self._socket.getsockname()[1])

    @property
    def dropped(self) -> int:
        """How many datagrams this socket had no room for (SO_MEMINFO)."""
        return int.from_bytes(self._socket.getsockopt(socket.SOL_SOCKET, 55, 64)[32:36], "little")

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    # --- SDP

    def sdp(self, *, setup: str = "actpass", types: dict[str, int] | None = None) -> str:
        """Return an offer, or an answer under the offerer's payload `types`."""
        lines = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=group:BUNDLE 0 1"]
        lines.append("a=msid-semantic: WMS load")
        for kind in KINDS:
            lines += self._line(kind, setup, types or PAYLOAD_TYPES, answers=types is not None)
        return "\r\n".join(lines) + "\r\n"

    def _line(self, kind: str, setup: str, types: dict[str, int], *, answers: bool) -> list[str]:
        number = types[kind]
        repair = kind == "video" and not answers
        lines = [
            f"m={kind} 9 UDP/TLS/RTP/SAVPF {number}" + (f" {RTX_TYPE}" if repair else ""),
            "c=IN IP4 0.0.0.0",
            f"a=ice-ufrag:{self._ufrag}",
            f"a=ice-pwd:{self._password}",
            f"a=fingerprint:sha-256 {self._identity.fingerprint}",
            f"a=setup:{setup}",
            f"a=mid:{MIDS[kind]}",
            f"a={self.direction}",
            "a=rtcp-mux",
            "a=rtcp-rsize",
            f"a=candidate:1 1 udp 2130706431 {self._host} {self.port} typ host",
        ]
        for name, uri in EXTENSIONS.items():
            if kind == "audio" or name != "level":
                lines.append(f"a=extmap:{IDS[name]} {uri}")
        return lines + self._codec(kind, number) + self._announced(kind, repair=repair)

    def _codec(self, kind: str, number: int) -> list[str]:
        if kind == "audio":
            return [
                f"a=rtpmap:{number} opus/48000/2",
                f"a=fmtp:{number} minptime=10;useinbandfec=1",
                f"a=rtcp-fb:{number} transport-cc",
            ]
        wanted = ("goog-remb", "transport-cc", "ccm fir", "nack", "nack pli")
        return [f"a=rtpmap:{number} VP8/90000", *(f"a=rtcp-fb:{number} {x}" for x in wanted)]

    def _announced(self, kind: str, *, repair: bool) -> list[str]:
        lines = []
        if repair:
            lines += [f"a=rtpmap:{RTX_TYPE} rtx/90000", f"a=fmtp:{RTX_TYPE} apt=96"]
        if self.direction == "recvonly":
            return lines
        numbers = [self.ssrcs[kind]]
        if repair:
            numbers.append(self.rtx_ssrc)
            lines.append(f"a=ssrc-group:FID {numbers[0]} {numbers[1]}")
        for number in numbers:
            lines += [f"a=ssrc:{number} cname:load", f"a=ssrc:{number} msid:load {kind}"]
        return lines

    # --- the connection

    async def connect(
        self, sdp: str, *, sender: int, hears: int, types: dict[str, int] | None = None
    ) -> Connected:
        """Check and shake hands as `sdp`, the server's, says. Raises `Unavailable`, `TimeoutError`.

        `sender` is this party's number in the load, `hears` that of whom it should hear.
        """
        self._remote = read_remote(sdp, self._host)
        self._socket.connect(self._remote.address)
        async with asyncio.timeout(WITHIN_SECONDS):
            await self._until_checked()
            outbound, inbound = await self._shake_hands()
        numbers = types or PAYLOAD_TYPES
        return Connected(
            outbound,
            inbound,
            self._socket.fileno(),
            sender,
            hears,
            (self.ssrcs["audio"], self.ssrcs["video"]),
            (numbers["audio"], numbers["video"]),
            (MIDS["audio"], MIDS["video"]),
            _extension_ids(sdp),
            self.direction != "recvonly",
        )

    def check(self) -> None:
        """Send a check: the server may go on sending for 30 s."""
        if self._remote is None:
            return
        message = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
        message.attributes["USERNAME"] = f"{self._remote.ufrag}:{self._ufrag}"
        message.attributes["PRIORITY"] = 1853824767
        message.attributes["ICE-CONTROLLING"] = 1
        message.attributes["USE-CANDIDATE"] = None
        message.add_message_integrity(self._remote.password.encode())
        self._send(bytes(message))

    async def _until_checked(self) -> None:
        while True:
            self.check()
            answer = await self._receive(REPEAT_SECONDS)
            if answer is not None and answer[:2] == b"\x01\x01":
                return

    async def _shake_hands(self) -> tuple[SrtpSession, SrtpSession]:
        ssl = SSL.Connection(self._identity.context, None)
        ssl.set_ciphertext_mtu(1200)
        ssl.set_connect_state()
        while True:
            done = self._step(ssl)
            if done:
                return self._keys(ssl)
            datagram = await self._receive(REPEAT_SECONDS)
            if datagram is None:
                due = ssl.DTLSv1_get_timeout()
                if due is not None and due <= 0:
                    ssl.DTLSv1_handle_timeout()
            elif 20 <= datagram[0] < 64:
                ssl.bio_write(datagram)

    def _step(self, ssl: SSL.Connection) -> bool:
        done = True
        try:
            ssl.do_handshake()
        except SSL.WantReadError:
            done = False
        try:
            flight = ssl.bio_read(65536)
        except SSL.WantReadError:
            return done
        for datagram in cut_records(flight):
            self._send(datagram)
        return done

    def _keys(self, ssl: SSL.Connection) -> tuple[SrtpSession, SrtpSession]:
        chosen = ssl.get_selected_srtp_profile()
        _, profile, keys, salts = next(x for x in PROFILES if x[0] == chosen)
        self.profile = chosen.decode()
        material: Any = ssl.export_keying_material(b"EXTRACTOR-dtls_srtp", 2 * (keys + salts))
        client = material[:keys] + material[2 * keys : 2 * keys + salts]
        server = material[keys : 2 * keys] + material[2 * keys + salts :]
        return (
            SrtpSession(client, profile, inbound=False),
            SrtpSession(server, profile, inbound=True),
        )

    def _send(self, data: bytes) -> None:
        try:
            self._socket.send(data)
        except OSError:  # not taken or not wanted: it is sent again if it matters
            return

    async def _receive(self, seconds: float) -> bytes | None:
        """Return the next datagram, or None after so long; checks are answered here."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(seconds):
                while True:
                    datagram = await loop.sock_recv(self._socket, 4096)
                    if datagram[:2] != b"\x00\x01":
                        return datagram
                    self._answer(datagram)
        except (TimeoutError, ConnectionError):
            return None

    def _answer(self, datagram: bytes) -> None:
        """Answer a check: some servers check although they are ICE-lite."""
        request = stun.parse_message(datagram)
        answer = stun.Message(
            stun.Method.BINDING, stun.Class.RESPONSE, transaction_id=request.transaction_id
        )
        answer.attributes["XOR-MAPPED-ADDRESS"] = self._socket.getpeername()
        answer.add_message_integrity(self._password.encode())
        self._send(bytes(answer))
