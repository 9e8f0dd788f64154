"""What the resident agrees to is known to the server by version and language."""

from pathlib import Path
from typing import Any

import pytest

from security.errors import Conflict
from server.consents import KEYS, VERSION, consent_sha256

PAGE = Path(__file__).parents[2] / "static/app/parts/counter-consent.js"
# Never change these: whoever changes the words raises the version and adds a line.
AGREED_TO = {
    ("1", "ja"): "038276771ed377627307ec093941935f608b7466c28b5e06610a219c621029f8",
    ("1", "en"): "c20c5146d479702a9ec093b91bbd2044247f1340dae3f07e77315415dd0ea5e5",
}


@pytest.mark.parametrize("language", ["ja", "en"])
def test_the_words_of_a_version_never_change(language: str) -> None:
    assert consent_sha256(VERSION, language) == AGREED_TO[VERSION, language]


def test_the_page_shows_the_version_and_words_that_the_server_knows() -> None:
    said = PAGE.read_text("utf-8")
    assert f'CONSENT_VERSION = "{VERSION}"' in said
    for key in KEYS:
        prefix, _, name = key.rpartition(".")
        assert f'"{key}"' in said or (f"{prefix}.${{key}}" in said and f'"{name}"' in said), key


@pytest.mark.parametrize("said", [("2", "ja"), ("", "ja"), ("1", "fr"), ("1", "")])
def test_other_words_are_refused(said: tuple[str, str]) -> None:
    with pytest.raises(Conflict) as refused:
        consent_sha256(*said)
    assert refused.value.code == "outdated_consent"


async def test_no_call_is_placed_with_words_that_nobody_is_asked(world: Any) -> None:
    counter = await world.counter()
    await counter.connect()
    consent = {"video": True, "text_version": "0", "language": "ja"}
    with pytest.raises(Exception, match="outdated_consent"):
        await counter.do("call.place", procedure="new-issue", consent=consent)
    consent["text_version"] = VERSION
    assert (await counter.do("call.place", procedure="new-issue", consent=consent))["call"]
