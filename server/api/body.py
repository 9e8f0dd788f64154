"""JSON in and out of HTTP, through pydantic models."""

import json
from typing import Any, TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError

from security.errors import ProtocolError, TooMuch

MAX_BODY_BYTES = 64 * 1024
Model = TypeVar("Model", bound=BaseModel)


async def read_body(request: web.Request, model: type[Model]) -> Model:
    """Return the request's JSON as `model`. Raises `ProtocolError`, `TooMuch`."""
    if request.content_type != "application/json":
        raise ProtocolError("the body must be application/json")
    raw = await request.content.read(MAX_BODY_BYTES + 1)
    while len(raw) <= MAX_BODY_BYTES and (more := await request.content.read(MAX_BODY_BYTES)):
        raw += more
    if len(raw) > MAX_BODY_BYTES:
        raise TooMuch("the body is too large", limit=MAX_BODY_BYTES, unit="bytes")
    try:
        return model.model_validate_json(raw)
    except ValidationError as exc:
        first = exc.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ProtocolError(f"{where}: {first['msg']}") from exc


def answer(value: Any, *, status: int = 200) -> web.Response:
    """Return `value` as a JSON response."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return web.Response(status=status, text=text, content_type="application/json")
