"""A client made by hand, for tests that must say and see every packet."""

import asyncio
import re
import secrets
import socket
import struct
from dataclasses import dataclass
from datetime import UTC, datetime

from aioice import stun
from OpenSSL import SSL

from media import rtcp
from media.dtls import Identity, cut_records, new_identity
from media.framing import Unframer, framed
from media.libs import PROFILES, PacketBuffer, SrtpSession
from media.node import MediaNode
from tests.media.basics import CALL, make_permit, until


@dataclass(frozen=True)
class Rtp:
    """An RTP packet that a probe received at its own `port`."""

    port: int
    payload_type: int
    seq: int
    time: int
    ssrc: int
    extensions: bytes
    payload: bytes


OFFER = """v=0
o=- 1 1 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0 1
m=audio 9 UDP/TLS/RTP/SAVPF 111
c=IN IP4 0.0.0.0
a=mid:0
a=sendrecv
a=rtcp-mux
{transport}{audio_ssrcs}a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid
a=rtpmap:111 opus/48000/2
m=video 9 UDP/TLS/RTP/SAVPF {video} {rtx}
c=IN IP4 0.0.0.0
a=mid:1
a=sendrecv
a=rtcp-mux
{transport}{video_ssrcs}a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid
a=extmap:{orientation} urn:3gpp:video-orientation
a=rtpmap:{video} VP8/90000
a=rtcp-fb:{video} nack
a=rtcp-fb:{video} nack pli
a=rtcp-fb:{video} goog-remb
a=rtcp-fb:{video} transport-cc
a=rtpmap:{rtx} rtx/90000
a=fmtp:{rtx} apt={video}
"""
H264 = """a=rtpmap:{h264} H264/90000
a=fmtp:{h264} level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f
a=rtcp-fb:{h264} nack
a=rtcp-fb:{h264} nack pli
"""
TRANSPORT = """a=ice-ufrag:{ufrag}
a=ice-pwd:{password}
a=fingerprint:sha-256 {fingerprint}
a=setup:actpass
"""
KEYFRAME = b"\x10\x50"  # VP8: first packet of a keyframe
DELTA = b"\x10\x51"


class Probe:
    """A client made by hand: says exactly what a test wants, and shows every packet it gets."""

    def __init__(
        self,
        *,
        video: int = 96,
        rtx: int | None = 97,
        orientation: int = 13,
        ssrc: int = 1000,
        announces: bool = True,
        h264: int | None = None,
        wishes_h264: bool = False,
    ) -> None:
        self.identity: Identity = new_identity(datetime(2026, 11, 23, tzinfo=UTC))
        self.video, self.rtx, self.orientation = video, rtx, orientation
        self.audio_ssrc, self.video_ssrc, self.rtx_ssrc = ssrc, ssrc + 1, ssrc + 2
        self.announces = announces
        self.h264, self.wishes_h264 = h264, wishes_h264
        self.troubles: list[str] = []  # looked at when the test is over
        self.ufrag = secrets.token_hex(4)
        self.remote = ("", "")
        self.rtp: list[Rtp] = []
        self.rtcp: list[rtcp.Message] = []
        self.dtls: list[bytes] | None = None  # a list takes flights in instead of answering them
        self.arrivals = 0  # transport-wide feedback packets
        self.stun: list[bytes] = []
        self.datagrams = 0
        self.answer = ""
        self._inbound: SrtpSession | None = None
        self._outbound: SrtpSession | None = None
        self._buffer = PacketBuffer()
        self._sockets: list[socket.socket] = []
        self._frames = Unframer()
        self.hung_up = False  # the node has closed a connection
        self._ssl = SSL.Connection(self._context(), None)
        self._ssl.set_ciphertext_mtu(1200)
        self._ssl.set_connect_state()
        self.move()

    def _context(self) -> SSL.Context:
        self.identity.context.set_tlsext_use_srtp(PROFILES[0][0])
        return self.identity.context

    # --- addresses

    def move(self, host: str = "127.0.0.1") -> None:
        """Go on from another port of `host`, as after a change of network."""
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        sock.bind((host, 0))
        self._sockets.append(sock)
        asyncio.get_running_loop().add_reader(sock.fileno(), self._read, sock)

    def move_to_tcp(self, port: int, host: str = "127.0.0.1") -> None:
        """Go on over a connection from `host` to `port`."""
        sock = socket.create_connection(("127.0.0.1", port), source_address=(host, 0))
        sock.setblocking(False)
        self._sockets.append(sock)
        self._frames = Unframer()
        asyncio.get_running_loop().add_reader(sock.fileno(), self._read_frames, sock)

    def trade_places(self, other: "Probe") -> None:
        """Go on from the other's port, and the other from ours, as a router may decide."""
        loop = asyncio.get_running_loop()
        self._sockets, other._sockets = other._sockets, self._sockets
        for probe in (self, other):
            for sock in probe._sockets:
                loop.remove_reader(sock.fileno())
                loop.add_reader(sock.fileno(), probe._read, sock)

    def drop_last(self) -> None:
        """Close the newest socket and go on with the one before."""
        sock = self._sockets.pop()
        asyncio.get_running_loop().remove_reader(sock.fileno())
        sock.close()

    @property
    def ready(self) -> bool:
        """Tell whether the handshake is done."""
        return self._outbound is not None

    @property
    def address(self) -> tuple[str, int]:
        name: tuple[str, int] = self._sockets[-1].getsockname()
        return name

    @property
    def is_silent(self) -> bool:
        """Whether there are no keys to send with yet."""
        return self._outbound is None

    def close(self) -> None:
        for sock in self._sockets:
            asyncio.get_running_loop().remove_reader(sock.fileno())
            sock.close()

    # --- signalling

    def offer(self) -> str:
        transport = TRANSPORT.format(
            ufrag=self.ufrag, password="p" * 24, fingerprint=self.identity.fingerprint
        )
        text = OFFER.format(
            transport=transport,
            video=self.video,
            rtx=self.rtx,
            orientation=self.orientation,
            audio_ssrcs=self._announced(self.audio_ssrc),
            video_ssrcs=self._announced(self.video_ssrc) + self._announced(self.rtx_ssrc),
        )
        if self.rtx is None:
            text = re.sub("(a=(rtpmap|fmtp):None.*\n)|( None)", "", text)
        if self.h264 is not None:
            text += H264.format(h264=self.h264)
            order = (self.h264, self.video) if self.wishes_h264 else (self.video, self.h264)
            text = text.replace(f"SAVPF {self.video}", f"SAVPF {order[0]} {order[1]}")
        return text.replace("\n", "\r\n")

    def _announced(self, ssrc: int) -> str:
        return f"a=ssrc:{ssrc} cname:probe\n" if self.announces else ""

    async def join(self, node: MediaNode, party: str, call_id: str = CALL) -> None:
        """Offer and take the answer; nothing is sent yet."""
        answer = node.join(await make_permit(call_id), call_id, party, self.offer())
        self.take(answer, node.port)

    def take(self, answer: str, port: int) -> None:
        """Take an answer; nothing is sent yet."""
        self.answer = answer
        found = re.search("ice-ufrag:(.+)\r\na=ice-pwd:(.+)\r\n", answer)
        assert found is not None
        self.remote = (found[1], found[2])
        self.port = port

    async def connect(self, node: MediaNode, party: str, call_id: str = CALL) -> None:
        """Join, check without nominating, shake hands."""
        await self.join(node, party, call_id)
        await self._shake()

    async def warm(self, node: MediaNode, seat: str) -> None:
        """Connect without a call."""
        permit = await make_permit(seat, "media.warm")
        await self.connect_by(node.warm(permit, seat, self.offer()), node.port)

    async def connect_by(self, answer: str, port: int) -> None:
        """Take an answer that came by another way, check, shake hands."""
        self.take(answer, port)
        await self._shake()

    async def _shake(self) -> None:
        self.check()
        assert await until(lambda: bool(self.stun))
        self.handshake()
        assert await until(lambda: self._outbound is not None)

    # --- sending

    def send(self, data: bytes) -> None:
        if self._sockets[-1].type == socket.SOCK_STREAM:
            self._sockets[-1].send(framed(data))
        else:
            self._sockets[-1].sendto(data, ("127.0.0.1", self.port))

    def check(self, *, nominates: bool = False, remote: tuple[str, str] | None = None) -> None:
        """Send a binding request."""
        ufrag, password = remote or self.remote
        message = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
        message.attributes["USERNAME"] = f"{ufrag}:{self.ufrag}"
        message.attributes["PRIORITY"] = 1
        message.attributes["ICE-CONTROLLING"] = 1
        if nominates:
            message.attributes["USE-CANDIDATE"] = None
        message.add_message_integrity(password.encode())
        self.send(bytes(message))

    def handshake(self) -> None:
        """Send what DTLS has to say."""
        try:
            self._ssl.do_handshake()
        except SSL.WantReadError:
            pass
        else:
            self._take_keys()
        try:
            flight = self._ssl.bio_read(65536)
        except SSL.WantReadError:
            return
        for datagram in cut_records(flight):
            self.send(datagram)

    def _take_keys(self) -> None:
        if self._outbound is not None:
            return
        _, profile, keys, salts = PROFILES[0]
        material = self._ssl.export_keying_material(b"EXTRACTOR-dtls_srtp", 2 * (keys + salts))
        client = material[:keys] + material[2 * keys : 2 * keys + salts]
        server = material[keys : 2 * keys] + material[2 * keys + salts :]
        self._outbound = SrtpSession(client, profile, inbound=False)
        self._inbound = SrtpSession(server, profile, inbound=True)

    def hang_up(self) -> None:
        """Say goodbye by DTLS."""
        self._ssl.shutdown()
        self.send(self._ssl.bio_read(4096))

    def send_video(
        self, seq: int, payload: bytes = DELTA, *, time: int | None = None, extensions: bytes = b""
    ) -> None:
        stamp = seq * 3000 if time is None else time
        self.send_rtp(self.video, seq, stamp, self.video_ssrc, payload, extensions)

    def send_audio(self, seq: int, payload: bytes = b"sound") -> None:
        self.send_rtp(111, seq, seq * 960, self.audio_ssrc, payload)

    def send_rtp(
        self, kind: int, seq: int, time: int, ssrc: int, payload: bytes, extensions: bytes = b""
    ) -> None:
        assert self._outbound is not None
        first = 0x90 if extensions else 0x80
        head = struct.pack("!BBHII", first, kind, seq & 0xFFFF, time & 0xFFFFFFFF, ssrc)
        if extensions:
            extensions += bytes(-len(extensions) % 4)
            head += struct.pack("!HH", 0xBEDE, len(extensions) // 4) + extensions
        packet = head + payload
        self._buffer.view[: len(packet)] = packet
        size = self._outbound.protect(self._buffer.pointer, len(packet))
        self.send(bytes(self._buffer.view[:size]))

    def send_rtcp(self, packet: bytes) -> None:
        assert self._outbound is not None
        self._buffer.view[: len(packet)] = packet
        size = self._outbound.protect_rtcp(self._buffer.pointer, len(packet))
        self.send(bytes(self._buffer.view[:size]))

    # --- receiving

    def _read_frames(self, sock: socket.socket) -> None:
        data = sock.recv(65536)
        if not data:
            self.hung_up = True
            asyncio.get_running_loop().remove_reader(sock.fileno())
        for frame in self._frames.feed(data):
            self._take(frame, sock)

    def _read(self, sock: socket.socket) -> None:
        self._take(sock.recv(4096), sock)

    def _take(self, data: bytes, sock: socket.socket) -> None:
        self.datagrams += 1
        if data[0] < 4:
            self.stun.append(data)
        elif data[0] < 64 and self.dtls is not None:
            self.dtls.append(data)
        elif data[0] < 64:
            self._ssl.bio_write(data)
            self.handshake()
        elif self._inbound is not None:
            self._open(self._inbound, data, sock.getsockname()[1])

    def _open(self, inbound: SrtpSession, data: bytes, port: int) -> None:
        self._buffer.view[: len(data)] = data
        if 192 <= data[1] <= 223:
            size = inbound.unprotect_rtcp(self._buffer.pointer, len(data))
            packet = bytes(self._buffer.view[:size])
            if size < 0:
                self.troubles.append("the node sent RTCP that does not verify")
                return
            self.rtcp += rtcp.parse(packet)
            self.arrivals += packet[:2] == b"\x8f\xcd"
            return
        size = inbound.unprotect(self._buffer.pointer, len(data))
        if size < 0:
            self.troubles.append("the node repeated a number or sealed it wrongly")
            return
        packet = bytes(self._buffer.view[:size])
        first, kind, seq, stamp, ssrc = struct.unpack_from("!BBHII", packet)
        end = 12
        if first & 0x10:
            end = 16 + 4 * struct.unpack_from("!H", packet, 14)[0]
        self.rtp.append(Rtp(port, kind & 0x7F, seq, stamp, ssrc, packet[16:end], packet[end:]))

    def videos(self) -> list[Rtp]:
        return [x for x in self.rtp if x.payload_type == self.video]

    def send_h264(self, seq: int, payload: bytes) -> None:
        assert self.h264 is not None
        self.send_rtp(self.h264, seq, seq * 3000, self.video_ssrc, payload)

    def h264s(self) -> list[Rtp]:
        return [x for x in self.rtp if x.payload_type == self.h264]

    def sounds(self) -> list[Rtp]:
        return [x for x in self.rtp if x.payload_type == 111]

    def wishes(self) -> int:
        """How many keyframes the node has asked for."""
        return sum(isinstance(x, rtcp.KeyframeWanted) for x in self.rtcp)
