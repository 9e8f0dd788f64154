"""Reads the cards of documents: the shipped ones, and a municipality's own over them.

A municipality's own stand in `cards/MUNICIPALITY/KIND.toml` of the data folder, readable without
a network and without a new start of the service.
"""

import logging
import tomllib
from functools import cache
from importlib import resources
from pathlib import Path

from server.procedures.cards import Card, DocumentsAnswer, Look, documents
from server.procedures.documents import CLASS_OF
from server.settings_file import SettingsError, read_settings

log = logging.getLogger(__name__)
TO_COMPLETE = "to-complete"


def shipped_text(kind: str) -> str:
    """Return the card as TOML: the shipped one, or what is to be completed for this kind."""
    folder = resources.files("server.procedures").joinpath("cards")
    own = folder.joinpath(f"{kind}.toml")
    if own.is_file():
        return own.read_text("utf-8")
    text = folder.joinpath(f"{TO_COMPLETE}.toml").read_text("utf-8")
    return text.replace("complete = false", f'kind = "{kind}"\ncomplete = false', 1)


@cache
def _shipped() -> tuple[dict[str, Card], tuple[Look, ...]]:
    cards = [Card.model_validate(tomllib.loads(shipped_text(kind))) for kind in CLASS_OF]
    looks = next(card.looks for card in cards if not card.complete)
    return {card.kind: card for card in cards if card.complete}, looks


def read_documents(folder: Path, municipality: str) -> DocumentsAnswer:
    """Return every kind with its card; `municipality` is the short name, `folder` the data's.

    A card that is not right is left out and told in the log: the shipped one stands in for it.
    Reads files: call it in a thread.
    """
    shipped, looks = _shipped()
    own: dict[str, Card] = {}
    for kind in CLASS_OF:
        file = folder / "cards" / municipality / f"{kind}.toml"
        if file.is_file() and (card := _own(file, kind)):
            own[kind] = card
    return documents({**shipped, **own}, looks)


def _own(file: Path, kind: str) -> Card | None:
    try:
        card = read_settings(Card, file)
    except SettingsError as error:
        log.warning("a card of a document is not right: %s", error)
        return None
    if card.kind == kind:
        return card
    log.warning("%s is a card of another document than its name says", file)
    return None
