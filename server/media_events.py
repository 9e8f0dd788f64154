"""What the media node reports, passed on to pages."""

import logging

from security.errors import NotFound
from server.api.hub import Hub, counter_key

log = logging.getLogger(__name__)


class MediaWatch:
    """The node's `MediaEvents`: a connection that went silent is asked to come again."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def media_up(self, call_id: str, party: str) -> None:
        """Sound and pictures of a party have arrived."""
        log.info("call %s: media of %s is up", call_id, party)

    def media_lost(self, call_id: str, party: str) -> None:
        """A party's connection has been silent for longer than consent lasts."""
        log.info("call %s: media of %s is lost", call_id, party)
        try:
            call = self._hub.registry.get(call_id)
        except NotFound:
            return
        key = counter_key(call) if party == "counter" else ("desk", call.desk_id or "")
        self._hub.seats.send(key, {"type": "please-offer", "reason": "restart_ice"})
