"""The figures of `/metrics`, drawn from what the house knows at that moment.

Labels are states, levels, pages, kinds, node indexes and directions: a fixed, small number of
series, whatever happens. No label ever names a municipality, a person, a tablet or a call.
"""

from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, Metric, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from media.engine import Figures
from server.calls.call import State
from server.parts import Parts

PAGES = ("counter", "desk")
# Of each node: name, what it says, whether it only grows, and the field of `Figures`.
_NODE = (
    ("calls", "Calls whose sound and pictures pass", False, "calls"),
    ("busy_ratio", "Share of one core that the loop's thread uses", False, "busy"),
    ("late_ratio", "Share of the loop's ticks that come over 20 ms late", False, "late"),
    ("strained", "1 while no further call is taken because of what is measured", False, "strained"),
    ("resident_bytes", "Memory of the node's process", False, "resident_bytes"),
    ("cpu_seconds", "Processor time of the node's process", True, "cpu_seconds"),
    ("lost_packets", "Packets of parties that never came, after repair", True, "lost"),
    ("repaired_packets", "Packets of parties that came when asked for again", True, "repaired"),
    ("resent_packets", "Packets that were sent to parties again", True, "resent"),
    ("refused_packets", "Packets that did not authenticate or came twice", True, "refused"),
    ("stale_packets", "Packets left out because they were too old", True, "stale"),
    ("excess_packets", "Packets beyond what one connection may bring", True, "excess"),
    ("unsent_packets", "Packets that the system did not take to be sent", True, "unsent"),
    ("unheard_messages", "Checks, handshakes and reports beyond what is heard", True, "unheard"),
)


def collected(parts: Parts) -> CollectorRegistry:
    """Return a registry with everything that is measured, as it is now."""
    registry = CollectorRegistry()
    registry.register(_House(parts))
    ProcessCollector(namespace="madoguchi", registry=registry)
    return registry


class _House:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def describe(self) -> Iterable[Metric]:
        """Return nothing: names are known once they are collected."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Give every family."""
        yield from self._calls()
        yield from self._room()
        yield from _nodes(self._parts.media.figures())
        if self._parts.export is not None:
            what = "1 while the audit log reaches its syslog receiver"
            connected = float(self._parts.export.connected)
            yield GaugeMetricFamily("madoguchi_audit_export_connected", what, value=connected)
        yield CounterMetricFamily(
            "madoguchi_retention_failed",
            "Deletions that were due and did not succeed",
            value=float(self._parts.retention.failed),
        )
        owed = "Records of closed calls that could not be made yet"
        yield GaugeMetricFamily(
            "madoguchi_records_owed", owed, value=float(len(self._parts.records.owed))
        )
        yield self._deliveries()
        yield CounterMetricFamily(
            "madoguchi_bad_tokens",
            "Requests of other systems with a token that does not count",
            value=float(self._parts.bad_tokens.total),
        )
        lag = "Longest delay of the event loop since the last look"
        yield GaugeMetricFamily(
            "madoguchi_loop_lag_seconds", lag, value=self._parts.loop_lag.take()
        )

    def _calls(self) -> Iterator[Metric]:
        parts = self._parts
        counts: dict[State, int] = {x: 0 for x in State if x is not State.CLOSED}
        for call in parts.registry.every_open_call():
            counts[call.state] = counts.get(call.state, 0) + 1
        calls = GaugeMetricFamily("madoguchi_calls", "Open calls by state", labels=["state"])
        for state, count in counts.items():
            calls.add_metric([state.value], count)
        yield calls
        levels = GaugeMetricFamily(
            "madoguchi_call_quality", "Calls under way by the quality shown", labels=["level"]
        )
        for level, count in parts.quality.levels().items():
            levels.add_metric([level.value], count)
        yield levels
        pages = GaugeMetricFamily("madoguchi_pages", "Live pages", labels=["page"])
        live = [key[0] for key, _ in parts.hub.seats.live()]
        for page in PAGES:
            pages.add_metric([page], live.count(page))
        yield pages

    def _deliveries(self) -> Metric:
        """Return facts on their way to other systems, over all destinations of a kind."""
        what = "Facts for other systems that wait, or are dead letters"
        family = GaugeMetricFamily("madoguchi_deliveries", what, labels=["kind", "state"])
        for (kind, state), count in self._parts.deliveries.on_their_way().items():
            family.add_metric([kind, state], count)
        return family

    def _room(self) -> Iterator[Metric]:
        capacity, registry = self._parts.media.capacity(), self._parts.registry
        for name, what, value in (
            ("calls_max", "Calls that may go on at once", capacity.max_calls),
            ("calls_accepted", "1 while a further call would be taken", registry.has_room()),
            ("media_load_ratio", "Load of the least loaded media node", capacity.load),
        ):
            yield GaugeMetricFamily(f"madoguchi_{name}", what, value=float(value))


def _nodes(nodes: dict[int, Figures]) -> Iterator[Metric]:
    for name, what, grows, field in _NODE:
        values = {str(index): float(getattr(found, field)) for index, found in nodes.items()}
        yield _family(f"madoguchi_media_{name}", what, ("node",), values, grows=grows)
    for unit in ("packets", "bytes"):
        values = {
            f"{index} {way}": float(getattr(found, f"{unit}_{way}"))
            for index, found in nodes.items()
            for way in ("received", "forwarded")
        }
        what = f"Media {unit} from and to parties"
        yield _family(f"madoguchi_media_{unit}", what, ("node", "way"), values, grows=True)
    paths = GaugeMetricFamily(
        "madoguchi_media_packet_path", "1 for the packet path in use", labels=["node", "path"]
    )
    for index, found in nodes.items():
        paths.add_metric([str(index), found.packet_path], 1)
    yield paths


def _family(
    name: str, what: str, labels: tuple[str, ...], values: dict[str, float], *, grows: bool
) -> Metric:
    family = (CounterMetricFamily if grows else GaugeMetricFamily)(name, what, labels=labels)
    for key, value in values.items():
        family.add_metric(key.split(), value)
    return family
