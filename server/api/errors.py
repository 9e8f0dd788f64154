"""One shape for every error that reaches a peer. Pure."""

from security.errors import MadoguchiError, TooMuch
from server.api.views import Json


def error_body(exc: MadoguchiError, *, request_id: str | None = None) -> Json:
    """Return the JSON of PROTOCOL.md section 6."""
    error: Json = {
        "code": exc.code,
        "message": exc.message,
        "reasons": [
            {"code": r.code, "message": r.message, "clause": r.clause} for r in exc.reasons
        ],
    }
    if isinstance(exc, TooMuch):
        error |= {"limit": exc.limit, "unit": exc.unit}
    if request_id is not None:
        error["request_id"] = request_id
    return {"error": error}
