"""What the resident is asked before a call: the words on the tablet, by version and language.

The words are those of static/text/LANGUAGE.json and shown by static/app/parts/counter-consent.js.
Whoever changes one of them raises `VERSION` in both places.
"""

from typing import cast, get_args

from security.audit.chain import canonical
from security.errors import Conflict
from server.records.bundle import sha256_hex
from server.words import Language, words_of

VERSION = "1"
KEYS = (
    "consent.title",
    "consent.video",
    "consent.video.what",
    "consent.promise.pin",
    "consent.promise.crypt",
    "consent.promise.stop",
    "consent.refused",
    "common.yes",
    "common.no",
)


def consent_sha256(version: str, language: str) -> str:
    """Return the SHA-256, in hex, of the words that were agreed to.

    Raises `Conflict` `outdated_consent` for words that are not asked (any more).
    """
    if version != VERSION or language not in get_args(Language):
        raise Conflict("these are not the words of the consent", code="outdated_consent")
    words = words_of(cast("Language", language))
    return sha256_hex(canonical({key: words[key] for key in KEYS}))
