"""Cards of identity documents (見本): what to do with one on camera, and what is then seen. Pure.

A municipality completes the cards that it needs from what the issuing bodies have published; its
own card of a kind takes the place of the shipped one (`card_files.py` says where it stands).
"""

from collections.abc import Mapping
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from security.values import show, wrong
from server.procedures.documents import CLASS_OF, KINDS, DocumentClass
from server.procedures.words import Words

MAX_LOOKS = 12


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Look(_Data):
    """One thing to do with the document, and what a genuine one then shows."""

    do: Words
    see: Words


class Card(_Data):
    """How one kind of document is looked at; `complete` is false while it is to be filled in."""

    kind: str
    complete: bool
    source: Words | None = None
    looks: tuple[Look, ...] = Field(min_length=1, max_length=MAX_LOOKS)

    @field_validator("kind")
    @classmethod
    def _is_listed(cls, kind: str) -> str:
        if kind not in CLASS_OF:
            raise wrong(show(kind), "a kind of document, such as residence-card")
        return kind

    @model_validator(mode="after")
    def _rests_on_something(self) -> Self:
        if self.complete and self.source is None:
            raise wrong("complete without a source", "the published source that it rests on")
        return self


class DocumentNoun(_Data):
    """One kind of identity document as the desk is told it (PROTOCOL.md section 5)."""

    kind: str
    document_class: DocumentClass
    name: Words
    card: Card


class DocumentsAnswer(_Data):
    """Every kind of document, class A first."""

    documents: tuple[DocumentNoun, ...]


def documents(cards: Mapping[str, Card], to_complete: tuple[Look, ...]) -> DocumentsAnswer:
    """Return every kind with its card; one without gets the looks that are to be completed."""

    def card(kind: str) -> Card:
        return cards.get(kind) or Card(kind=kind, complete=False, looks=to_complete)

    return DocumentsAnswer(
        documents=tuple(
            DocumentNoun(kind=kind, document_class=document_class, name=name, card=card(kind))
            for document_class, kinds in KINDS.items()
            for kind, name in kinds.items()
        )
    )
