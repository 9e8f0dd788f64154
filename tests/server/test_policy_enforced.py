"""Every setting that is said to be in effect is changed by a test that watches the real server."""

from pathlib import Path

import pytest

from security.policy.model import SETTINGS

ROOT = Path(__file__).parents[2]
HERE = "".join(
    path.read_text("utf-8")
    for folder in ("server", "browser", "netns")
    for path in sorted((ROOT / "tests" / folder).rglob("test_*.py"))
    if path.name not in (Path(__file__).name, "test_policy_commands.py")
)


@pytest.mark.parametrize("key", sorted(k for k, s in SETTINGS.items() if not s.about.waits))
def test_a_test_puts_the_setting_into_force(key: str) -> None:
    assert f'"{key}"' in HERE
