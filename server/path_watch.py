"""Asks the gate about the path that sound and pictures really take, and stops those it refuses.

The page's own connection was asked about when it was opened; its media may go another way: by
another interface, behind another router, over a relay. The engine tells each address that a
party's media takes (media/settings.py). It is asked about at every change, and again when another
policy takes force. A refused address is closed in the engine, the page may find another one, and
both ends are shown why until it has.
"""

import asyncio
import contextlib
import logging
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from media.engine import MediaEngine
from security.errors import Denied, NotFound
from security.gate import Gate
from security.policy.facts import Facts, Line
from security.policy.model import Policy
from security.values import plain_address
from server.api.hub import Hub, seat_of
from server.api.present import Present, Speaker
from server.api.seats import SeatKey
from server.calls.call import Call
from server.calls.registry import IN_QUEUE
from server.relay import Relay
from server.stricter import relay_use

log = logging.getLogger(__name__)
Key = tuple[str, str]  # call, party
# These say that the address will not do; anything else, that the party has no business here.
OF_ADDRESSES = frozenset({"outside_vpn", "outside_network", "relay"})
RESOLVE_SECONDS = 60.0


@dataclass(slots=True)
class Path:
    """By which address a party's media goes.

    `asked` is the policy under which it was asked about, None when it was not; `refused` are the
    addresses that the engine keeps closed to the party, `under` the policy that refused them,
    `seat` whose they were: another desk may take the call.
    """

    host: str
    asked: int | None = None
    refused: frozenset[str] = frozenset()
    under: int | None = None
    seat: SeatKey | None = None

    def settled(self, speaker: Speaker) -> bool:
        """Tell whether nothing is to be asked of `speaker` about this path."""
        return self.seat == speaker.seat and self.asked == speaker.in_force.number


class PathWatch:
    """Follows every party's path. `relay` is ours, None when there is none.

    `relay_use` is the operator's word on it, which holds until a municipality has its own policy.
    """

    def __init__(
        self,
        gate: Gate,
        media: MediaEngine,
        hub: Hub,
        present: Present,
        relay: Relay | None,
        relay_use: str,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._gate = gate
        self._media = media
        self._hub = hub
        self._present = present
        self._relay = relay
        self._relay_use = relay_use
        self._clock = clock
        self._paths: dict[Key, Path] = {}
        self._speakers: dict[Key, Speaker] = {}
        self._lock = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._relay_hosts: tuple[float, frozenset[str]] = (float("-inf"), frozenset())

    def taken(self, call_id: str, party: str, host: str) -> None:
        """Note that a party's media goes by `host`, and ask about it at once."""
        path = self._paths.get((call_id, party))
        if path is None:
            held = self._media.held(call_id)
            refused = held.refused.get(party, frozenset()) if held else frozenset[str]()
            path = self._paths[call_id, party] = Path(host, refused=refused)
        path.host, path.asked = host, None
        task = asyncio.get_running_loop().create_task(self.look())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """Ask no more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def look(self) -> None:
        """Ask about every path that is new, or that no policy now in force was asked about."""
        async with self._lock:
            for key, path in tuple(self._paths.items()):
                try:
                    call = self._hub.registry.get(key[0])
                except NotFound:
                    # A server that begins is told of paths before it knows its calls.
                    if self._media.held(key[0]) is None:
                        self._forget(key)
                    continue
                speaker = self._speaker(key, call)
                # Without a page there is nobody to ask for; the page that comes back is.
                if speaker is not None and not path.settled(speaker):
                    await self._look_at(key, path, call, speaker)

    def _speaker(self, key: Key, call: Call) -> Speaker | None:
        """Return who the party is, or was when its page was last there."""
        seat = seat_of(call, key[1])
        found = self._present.at(seat) or self._speakers.get(key)
        if found is None or found.seat != seat:
            return None
        self._speakers[key] = found
        return found

    def _forget(self, key: Key) -> None:
        self._paths.pop(key, None)
        self._speakers.pop(key, None)
        self._hub.refused_paths.pop(key, None)

    async def _look_at(self, key: Key, path: Path, call: Call, speaker: Speaker) -> None:
        again = path.refused if path.seat in (None, speaker.seat) else frozenset[str]()
        number = speaker.in_force.number
        hosts = {path.host} | (again if path.under != number else set())
        kept = again - hosts
        path.asked, path.seat, path.under = number, speaker.seat, number
        codes = {host: await self._ask(call, speaker, host) for host in sorted(hosts)}
        refused = kept | {host for host, code in codes.items() if code in OF_ADDRESSES}
        opened, path.refused = path.refused - refused, refused
        with contextlib.suppress(NotFound):
            if any(code is not None and code not in OF_ADDRESSES for code in codes.values()):
                await self._media.leave(*key)
            if refused or opened:
                await self._media.refuse(*key, refused)
        await self._show(key, call, codes.get(path.host))
        if opened:
            # The page has given those addresses up.
            please = {"type": "please-offer", "reason": "restart_ice"}
            self._hub.seats.send(speaker.seat, please)

    async def _show(self, key: Key, call: Call, code: str | None) -> None:
        """Show both ends why a party's media does not pass, or that it does."""
        if code == self._hub.refused_paths.get(key):
            return
        if code is None:
            del self._hub.refused_paths[key]
        else:
            self._hub.refused_paths[key] = code
        await self._hub.tell_call(call, None if call.state in IN_QUEUE else call.desk_id)

    async def _ask(self, call: Call, speaker: Speaker, host: str) -> str | None:
        """Return the code with which the gate refuses the address, None when it does not."""
        return await self.refusal(speaker.facts(call.id, now=self._clock(), call=call), host)

    async def refusal(self, facts: Facts, host: str) -> str | None:
        """Return the code with which the gate refuses media by an address, else None.

        `facts` are of the party whose media it is.
        """
        policy = self._with_operators_relay(facts.policy, facts.policy_number)
        facts = replace(facts, line=await self._line(facts, host), policy=policy)
        try:
            await self._gate.ask("media.path", facts)
        except (Denied, NotFound) as refused:
            log.info("call %s: a path is refused: %s", facts.subject, refused.code)
            codes = (reason.code for reason in refused.reasons)
            return next((code for code in codes if code in OF_ADDRESSES), refused.code)
        return None

    def _with_operators_relay(self, policy: Policy, number: int) -> Policy:
        """Return the policy with what counts of relays (server/stricter.py)."""
        use = relay_use(policy if number else None, self._relay_use)
        network = policy.network.model_copy(update={"relay": use})
        return policy.model_copy(update={"network": network})

    async def _line(self, facts: Facts, host: str) -> Line:
        """Return the line that media takes.

        Behind a relay nobody sees who is there: what counts then is what the relay's operator
        answers for (`[relay] enforces_networks`) and where the page itself came from.
        """
        if host not in await self._hosts_of_relay():
            return Line(host)
        vouched = self._relay is not None and self._relay.enforces_networks
        return Line(facts.line.address if vouched else host, relayed=True, vouched=vouched)

    async def _hosts_of_relay(self) -> frozenset[str]:
        at, known = self._relay_hosts
        if self._relay is not None and time.monotonic() - at > RESOLVE_SECONDS:
            known = await _addresses_of(self._relay.hosts) or known
            self._relay_hosts = (time.monotonic(), known)
        return known


async def _addresses_of(hosts: tuple[str, ...]) -> frozenset[str]:
    """Return the addresses that these names stand for, as far as they are known."""
    loop, found = asyncio.get_running_loop(), set()
    for host in hosts:
        with contextlib.suppress(OSError):
            told = await loop.getaddrinfo(host, None, type=socket.SOCK_DGRAM)
            found |= {str(plain_address(str(address[4][0])) or "") for address in told}
    return frozenset(found)
