"""The only place that touches names of libraries which their authors do not promise to keep.

Versions are pinned in pyproject.toml; tests/media/test_libs.py says in one sentence which
name has moved when a version is raised.
"""

from typing import Any

import pylibsrtp
from aioice import stun
from aiortc.sdp import SessionDescription, grouplines
from OpenSSL import SSL
from pylibsrtp import _binding

DTLS_1_2 = 0xFEFD

_ffi: Any = _binding.ffi
_lib: Any = _binding.lib

PROFILES = (
    # OpenSSL's name, libsrtp's profile, key bytes, salt bytes; the first common one is taken
    (b"SRTP_AEAD_AES_128_GCM", pylibsrtp.Policy.SRTP_PROFILE_AEAD_AES_128_GCM, 16, 12),
    (b"SRTP_AES128_CM_SHA1_80", pylibsrtp.Policy.SRTP_PROFILE_AES128_CM_SHA1_80, 16, 14),
)

WANTED = (
    (_lib, "pylibsrtp._binding.lib", "srtp_protect"),
    (_lib, "pylibsrtp._binding.lib", "srtp_unprotect"),
    (_lib, "pylibsrtp._binding.lib", "srtp_protect_rtcp"),
    (_lib, "pylibsrtp._binding.lib", "srtp_unprotect_rtcp"),
    (_ffi, "pylibsrtp._binding.ffi", "from_buffer"),
    (SSL.Connection, "OpenSSL.SSL.Connection", "DTLSv1_get_timeout"),
    (SSL.Connection, "OpenSSL.SSL.Connection", "DTLSv1_handle_timeout"),
    (SSL.Connection, "OpenSSL.SSL.Connection", "set_ciphertext_mtu"),
    (SSL.Connection, "OpenSSL.SSL.Connection", "get_selected_srtp_profile"),
    (SSL.Connection, "OpenSSL.SSL.Connection", "export_keying_material"),
    (stun, "aioice.stun", "parse_message"),
    (stun, "aioice.stun", "Message"),
    (stun.Message, "aioice.stun.Message", "check_message_integrity"),
    (stun.Message, "aioice.stun.Message", "add_message_integrity"),
    (SessionDescription, "aiortc.sdp.SessionDescription", "parse"),
)

__all__ = [
    "DTLS_1_2",
    "PROFILES",
    "SSL",
    "PacketBuffer",
    "SessionDescription",
    "SrtpSession",
    "grouplines",
    "moved_names",
    "srtp_functions",
    "stun",
]


def moved_names() -> list[str]:
    """Return one sentence for each name that this engine needs and a library no longer has."""
    sentences = [
        f"{place} has no {name} any more"
        for owner, place, name in WANTED
        if not hasattr(owner, name)
    ]
    for name in ("srtp_protect", "srtp_unprotect"):
        found = _ffi.typeof(_ffi.addressof(_lib, name)).cname if hasattr(_lib, name) else ""
        if found != "srtp_err_status_t(*)(struct srtp_ctx_t_ *, void *, int *)":
            sentences.append(f"pylibsrtp._binding.lib.{name} takes other arguments")
    if not hasattr(pylibsrtp.Session(), "_srtp"):
        sentences.append("pylibsrtp.Session has no _srtp any more")
    return sentences


def srtp_functions() -> tuple[int, int, int, int]:
    """Return the addresses of libsrtp's protect, unprotect, protect_rtcp and unprotect_rtcp.

    Each takes a session's address, a packet's and one of its length, works in place and returns 0
    when it went well. It is the library that pylibsrtp brings, so sessions of both fit.
    """
    names = ("srtp_protect", "srtp_unprotect", "srtp_protect_rtcp", "srtp_unprotect_rtcp")
    found = [int(_ffi.cast("uintptr_t", _ffi.addressof(_lib, name))) for name in names]
    return found[0], found[1], found[2], found[3]


class PacketBuffer:
    """One datagram's worth of memory, seen by Python as `data` and `view` and by C as `pointer`.

    2,048 bytes: a full Ethernet frame and the longest SRTP trailer (148 bytes) fit.
    """

    SIZE = 2048
    __slots__ = ("data", "pointer", "view")

    def __init__(self) -> None:
        self.data = bytearray(self.SIZE)
        self.view = memoryview(self.data)
        self.pointer: Any = _ffi.from_buffer("unsigned char[]", self.data)


class SrtpSession:
    """One direction of SRTP and SRTCP under one key, working in place.

    Each method returns the new length, or -1 when the packet was refused (forged, repeated, too
    old). `key` is the master key followed by the salt (RFC 5764 section 4.2).
    """

    __slots__ = ("_handle", "_length", "_session")

    def __init__(self, key: bytes, profile: int, *, inbound: bool) -> None:
        any_ssrc = (
            pylibsrtp.Policy.SSRC_ANY_INBOUND if inbound else pylibsrtp.Policy.SSRC_ANY_OUTBOUND
        )
        policy = pylibsrtp.Policy(key=key, ssrc_type=any_ssrc, srtp_profile=profile)
        policy.window_size = 1024
        # A number is given to the first copy of a packet alone (media/reception.py) and sent again
        # from the cache alone (media/cache.py): bit for bit, so no nonce seals two plaintexts.
        policy.allow_repeat_tx = not inbound
        self._session = pylibsrtp.Session(policy)
        self._handle: Any = self._session._srtp[0]
        self._length: Any = _ffi.new("int *")

    @property
    def address(self) -> int:
        """Where libsrtp keeps this session, for native code; it is gone with this object."""
        return int(_ffi.cast("uintptr_t", self._handle))

    def protect(self, pointer: Any, length: int) -> int:
        """Encrypt the RTP packet at `pointer`; up to 148 bytes are added."""
        size = self._length
        size[0] = length
        if _lib.srtp_protect(self._handle, pointer, size):
            return -1
        return int(size[0])

    def unprotect(self, pointer: Any, length: int) -> int:
        """Verify and decrypt the SRTP packet at `pointer`."""
        size = self._length
        size[0] = length
        if _lib.srtp_unprotect(self._handle, pointer, size):
            return -1
        return int(size[0])

    def protect_rtcp(self, pointer: Any, length: int) -> int:
        """Encrypt the compound RTCP packet at `pointer`; up to 148 bytes are added."""
        size = self._length
        size[0] = length
        if _lib.srtp_protect_rtcp(self._handle, pointer, size):
            return -1
        return int(size[0])

    def unprotect_rtcp(self, pointer: Any, length: int) -> int:
        """Verify and decrypt the SRTCP packet at `pointer`."""
        size = self._length
        size[0] = length
        if _lib.srtp_unprotect_rtcp(self._handle, pointer, size):
            return -1
        return int(size[0])
