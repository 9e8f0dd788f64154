"""Which made-up resident is played in a training call, and what each end is shown. Pure but one."""

import hashlib
import tomllib
from collections.abc import Sequence
from functools import cache
from importlib import resources

from pydantic import BaseModel, ConfigDict, Field

from server.calls.call import Call, Outcome, State
from server.procedures.words import Words


class Resident(BaseModel):
    """A role card. `says`, `holds` and `does` are for who plays it, `register` for the desk."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    id: str = Field(pattern=r"^[a-z][a-z-]{1,40}$")
    name: Words
    says: Words
    holds: tuple[Words, ...] = Field(min_length=1, max_length=6)
    does: Words
    register_: tuple[Words, ...] = Field(alias="register", min_length=1, max_length=6)
    notice: Words
    outcome: Outcome


class ResidentView(BaseModel):
    """What an end of a training call is shown; null is not for it, or not yet."""

    model_config = ConfigDict(frozen=True)
    name: Words | None
    says: Words | None
    holds: tuple[Words, ...]
    does: Words | None
    register_: tuple[Words, ...] = Field(serialization_alias="register")
    notice: Words | None
    outcome: Outcome | None


def played_in(call: Call, residents: Sequence[Resident]) -> Resident:
    """Return the resident of a call: the same for both ends and after every reload.

    By the call's id, which nobody chooses.
    """
    lot = int.from_bytes(hashlib.sha256(call.id.encode()).digest()[:8], "big")
    return residents[lot % len(residents)]


def shown_to(page: str, call: Call, resident: Resident) -> ResidentView:
    """Return what `page` may know now: the desk never learns the part before the call is over."""
    over = call.state is State.CLOSED
    plays = page == "counter" or over
    return ResidentView(
        name=resident.name if plays else None,
        says=resident.says if plays else None,
        holds=resident.holds if plays else (),
        does=resident.does if plays else None,
        register_=resident.register_ if page != "counter" or over else (),
        notice=resident.notice if over else None,
        outcome=resident.outcome if over else None,
    )


@cache
def shipped() -> tuple[Resident, ...]:
    """Return the residents that come with the program."""
    text = resources.files("server.training").joinpath("residents.toml").read_text("utf-8")
    return tuple(Resident.model_validate(one) for one in tomllib.loads(text)["resident"])
