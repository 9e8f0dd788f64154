"""What a simulated page does next for the steps of its call: from the noun to a message. Pure."""

from collections.abc import Sequence
from typing import Any

Json = dict[str, Any]
# Without an expiry on them: valid on any day that the demo runs.
CLASS_A = ("driving-licence", "residence-card", "passport")
CLASS_B = ("health-insurance", "pension", "bankbook")


def next_message(
    steps: Json, page: str, *, code: str | None = None, pictures: Sequence[str] = ()
) -> Json | None:
    """Return the message by which a page gets its current step on.

    None when it is the other end's turn, something is lacking, or nothing is left. `code` is
    what the desk has heard, `pictures` the ids of files that can be bound.
    """
    step = next((one for one in steps["steps"] if one["id"] == steps["current"]), None)
    if step is None:
        return None
    for need in step["needs"]:
        if not need["done"] and need["by"] == page:
            said = _of_need(need, code, pictures)
            if said is not None:
                return {"step": step["id"], "need": need["need"], **said}
    return None


def code_on(steps: Json) -> str | None:
    """Return the code that stands on the counter's page."""
    needs = [need for step in steps["steps"] for need in step["needs"]]
    return next((x["code"]["code"] for x in needs if x["kind"] == "code"), None)


def pictures_wanted(steps: Json) -> int:
    """Return how many pictures or papers the current step asks for at most in one place."""
    step = next((one for one in steps["steps"] if one["id"] == steps["current"]), None)
    wanted = [x["at_least"] for x in (step["needs"] if step else ()) if x["at_least"]]
    return max(wanted, default=0)


def _of_need(need: Json, code: str | None, pictures: Sequence[str]) -> Json | None:
    match need["kind"]:
        case "tick":
            return _tick(need)
        case "prompts":
            return _tick(need) if need["items"] else {"type": "step.draw"}
        case "answer":
            return {"type": "step.answer", "text": "カードを作りに来ました"}
        case "documents":
            return _document(need["documents"])
        case "code":
            return {"type": "step.code", "code": code} if code else None
        case _:
            unbound = [one for one in pictures if one not in need["bound"]]
            return {"type": "step.bind", "file": unbound[0], "on": True} if unbound else None


def _tick(need: Json) -> Json:
    item = next(one["item"] for one in need["items"] if not one["on"])
    return {"type": "step.tick", "item": item, "on": True}


def _document(documents: Json) -> Json:
    way = documents["ways"][0]
    shown = [one["kind"] for one in documents["shown"]]
    if way["a"] or way["b"]:
        kinds = CLASS_A if way["a"] else CLASS_B
        kind = next(one for one in kinds if one not in shown)
        return {"type": "step.document", "kind": kind, "expires": None, "on": True}
    what = "pin" if way["pin"] else "notice"
    return {"type": "step.grant", "what": what, "on": True}
