"""The names of stills: by them a file that arrives is known as what a step has asked for. Pure."""

import re

from server.procedures.template import StillNeed, Template

_NAME = re.compile(r"(?P<step>.{1,64})-(?P<need>[0-9]{1,3})-[0-9a-f]{8}\.jpg")


def still_name(step: str, need: int, secret: str) -> str:
    """Return the name of a still to come; `secret` is 8 hex digits that nobody can guess."""
    return f"{step}-{need}-{secret}.jpg"


def is_still(template: Template, name: str) -> bool:
    """Tell whether a file of this name is a still that a step of `template` asks for."""
    found = _NAME.fullmatch(name)
    if found is None:
        return False
    steps = {step.id: step for step in template.steps}
    step, need = steps.get(found["step"]), int(found["need"])
    return step is not None and need < len(step.needs) and isinstance(step.needs[need], StillNeed)
