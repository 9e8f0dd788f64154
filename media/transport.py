"""The transport of one party's connection: ICE credentials, addresses, DTLS, SRTP keys."""

from dataclasses import dataclass

from media.checks import Checks
from media.dtls import Dtls, DtlsState, Identity
from media.ice import (
    Address,
    Addresses,
    Credentials,
    answer_check,
    new_credentials,
    plain_host,
    transaction_id,
)
from media.libs import SrtpSession
from media.path import MAX_SSRCS


@dataclass(frozen=True, slots=True)
class Answer:
    """What to say to a check, and the address that was forgotten for its sender's, if any."""

    reply: bytes
    forgotten: Address | None


class Transport:
    """What stands between a party's socket and ours. The shells read and write it."""

    def __init__(
        self, identity: Identity, fingerprints: tuple[tuple[str, bytes], ...], *, now: float
    ) -> None:
        self.fingerprints = fingerprints
        self.local = new_credentials()
        self.old_local: Credentials | None = None
        self.addresses = Addresses()
        self.dtls = Dtls(identity, fingerprints, now=now)
        self.inbound: SrtpSession | None = None
        self.refused = 0  # RTCP that did not authenticate
        self.heard_at = now
        self.lost = False  # the server has been told that nobody is there
        self.only_from: frozenset[str] | None = None
        self._checks = Checks()
        self._ssrcs_heard: set[int] = set()

    @property
    def up(self) -> bool:
        """Tell whether the keys are there: from the end of the handshake to a goodbye."""
        return self.inbound is not None

    def restart(self) -> None:
        """Take new local credentials; the old ones serve until a check with the new ones comes."""
        self.old_local = self.local
        self.local = new_credentials()

    def check(self, data: bytes, ufrag: str, source: Address, *, now: float) -> Answer | None:
        """Return the answer to a binding request sent to our `ufrag`, or None.

        Sets `old_local` to None once the newest credentials are in use. A request that `source`
        repeats is answered again, for the answer may be lost, and changes nothing.
        """
        local = self.local if ufrag == self.local.ufrag else self.old_local
        if local is None or local.ufrag != ufrag:
            return None
        transaction, proven = transaction_id(data), self.addresses.proven(source)
        if not self._checks.may_answer(transaction, source, proven=proven, now=now):
            return None
        found = answer_check(data, local, source)
        if found is None:
            return None
        repeats = self._checks.repeats(transaction, source)
        self._checks.answered(transaction, source, proven=proven, now=now)
        if repeats:
            return Answer(found.reply, None)
        if local is self.local:
            self.old_local = None
        forgotten = self.addresses.passed(source, nominates=found.nominates, now=now)
        return Answer(found.reply, forgotten)

    def lets_in(self, source: Address) -> bool:
        """Tell whether anything may come from `source`: from anywhere, or from our relay alone."""
        return self.only_from is None or plain_host(source[0]) in self.only_from

    def keys_ready(self) -> bool:
        """Take the keys when the handshake has just ended; tell whether it has."""
        if self.up or self.dtls.state is not DtlsState.UP:
            return False
        self.inbound = self.dtls.inbound
        return True

    def end(self) -> None:
        """Neither take nor send anything from now on (RFC 7675 section 5.2)."""
        self.inbound = None
        self.dtls.forget_keys()

    def admits(self, ssrc: int) -> bool:
        """Tell whether one more SSRC may cost us memory; it counts once it has authenticated."""
        return ssrc in self._ssrcs_heard or len(self._ssrcs_heard) < MAX_SSRCS

    def heard(self, ssrc: int, source: Address, now: float) -> None:
        """Note that something of `ssrc` authenticated from `source`: the party is there."""
        self._ssrcs_heard.add(ssrc)
        self.heard_at = now
        self.addresses.heard(source, now)

    def may_send(self, now: float) -> bool:
        """Tell whether media may go out: keys are there and the receiver consents."""
        return self.up and self.addresses.consented(now)
