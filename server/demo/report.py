"""What `demo --check` found out. Pure."""

from dataclasses import asdict, dataclass, field
from typing import Any

ENOUGH = 30


@dataclass(slots=True)
class Report:
    """The JSON object of `demo --check`, field by field.

    `first_frame_ms` runs from the accepted call to the first picture decoded at the desk. Frames
    and packets are counted after the forced reconnect. -1 and null mean: it did not come to that.
    """

    first_frame_ms: int = -1
    video_frames_desk: int = 0
    video_frames_counter: int = 0
    audio_packets_desk: int = 0
    audio_packets_counter: int = 0
    chat_delivered: bool = False
    chat_after_reconnect: bool = False
    file_sha256_match: bool = False
    outcome: str | None = None
    errors: list[str] = field(default_factory=list)

    @property
    def enough(self) -> bool:
        """Tell whether pictures and sound flowed both ways after the reconnect."""
        return self.fewest >= ENOUGH

    @property
    def fewest(self) -> int:
        """The smallest of the four counts."""
        return min(
            self.video_frames_desk,
            self.video_frames_counter,
            self.audio_packets_desk,
            self.audio_packets_counter,
        )

    @property
    def well(self) -> bool:
        """Tell whether all went as it should."""
        return not self.errors and not self.missing()

    def missing(self) -> list[str]:
        """Say in words what is not as it should be."""
        wanted = (
            (self.first_frame_ms >= 0, "no picture was decoded at the desk"),
            (self.enough, f"fewer than {ENOUGH} frames or packets came after the reconnect"),
            (self.chat_delivered, "a chat message was not delivered"),
            (self.chat_after_reconnect, "a chat message was not delivered after the reconnect"),
            (self.file_sha256_match, "the file did not arrive as it was sent"),
            (self.outcome == "verified", "the call was not closed as verified"),
        )
        return [words for met, words in wanted if not met]

    def as_json(self) -> dict[str, Any]:
        """Return the object to print."""
        return asdict(self)
