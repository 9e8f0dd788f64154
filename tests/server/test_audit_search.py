"""Which entries of the audit log a search holds."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from security.audit.chain import GENESIS, Stored, gate_tag
from server.api.audit import Wanted

NOW = datetime(2027, 1, 5, 1, tzinfo=UTC)


def refusal(action: str, code: str) -> tuple[Stored, dict[str, Any]]:
    stored = Stored(1, gate_tag(action), NOW, b"", GENESIS)
    return stored, {"allowed": False, "reasons": [code]}


@pytest.mark.parametrize(
    ("action", "code", "held"),
    [
        ("still.view", "not_a_viewer", True),
        ("recording.view", "not_a_viewer", False),
        ("still.view", "not_in_call", False),
    ],
)
def test_a_setting_is_searched_by_its_own_refusals_alone(
    action: str, code: str, held: bool
) -> None:
    wanted = Wanted.parse({"setting": "stills.viewers", "refused": "1"}, NOW + timedelta(hours=1))
    assert wanted.holds(*refusal(action, code)) is held
