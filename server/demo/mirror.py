"""What a page has been told: the server's state as its messages draw it. Pure."""

from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


UNNUMBERED = ("ping", "queue", "position", "relay", "quality", "approvals")


@dataclass(slots=True)
class Mirror:
    """The last known state. `faults` lists what PROTOCOL.md forbids the server to do."""

    epoch: str | None = None
    seq: int | None = None
    resumed: bool = False
    you: Json = field(default_factory=dict)
    limits: Json = field(default_factory=dict)
    call: Json | None = None
    chat: list[Json] = field(default_factory=list)
    files: dict[str, Json] = field(default_factory=dict)
    steps: Json | None = None
    queue: Json | None = None
    position: Json | None = None
    desk: str | None = None
    ended: str | None = None
    faults: list[str] = field(default_factory=list)

    @property
    def call_state(self) -> str | None:
        """The state of the own call, None when there is none."""
        return None if self.call is None else str(self.call["state"])

    @property
    def under_way(self) -> bool:
        """Tell whether an answered call is not closed yet."""
        return self.call_state in ("talking", "interrupted", "deciding")

    def take(self, message: Json) -> None:
        """Draw one message of the server."""
        kind = message["type"]
        if kind == "welcome":
            self._welcome(message)
        elif kind not in UNNUMBERED:
            self._count(message.get("seq"))
        if kind == "call":
            self._take_call(message["call"])
        elif kind in ("queue", "position", "steps"):
            setattr(self, kind, message[kind])
        elif kind == "chat":
            self._take_chat(message["message"])
        elif kind == "file":
            self.files[message["file"]["id"]] = message["file"]
        elif kind == "desk":
            self.desk = message["state"]
        elif kind == "ended":
            self.ended = message["code"]

    def texts(self, party: str) -> list[str]:
        """Return what `party` has said, in order."""
        return [str(m["text"]) for m in self.chat if m["from"] == party]

    def _welcome(self, message: Json) -> None:
        self.epoch = message["epoch"]
        self.you, self.limits = message["you"], message["limits"]
        self.resumed = message["resumed"]
        if self.resumed:
            return
        state = message["state"]
        self.seq = 0
        self.call, self.queue, self.position = state["call"], state["queue"], state["position"]
        self.steps = state["steps"]
        self.chat = list(state["chat"])
        self.files = {file["id"]: file for file in state["files"]}

    def _count(self, seq: Any) -> None:
        if not isinstance(seq, int):
            self.faults.append("a message without a number")
            return
        if self.seq is not None and seq != self.seq + 1:
            self.faults.append(f"message {seq} came after {self.seq}")
        self.seq = seq

    def _take_call(self, call: Json) -> None:
        if self.call is None or self.call["id"] != call["id"]:
            self.chat, self.files = [], {}
        self.call = call

    def _take_chat(self, message: Json) -> None:
        expected = self.chat[-1]["number"] + 1 if self.chat else 1
        if message["number"] != expected:
            self.faults.append(f"chat message {message['number']} came as number {expected}")
        self.chat.append(message)
