"""What makes an ID token count: OpenID Connect Core section 3.1.3.7, step by step. Pure."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import Key, KeySet, OctKey

from security.errors import Denied

# Signatures by a key pair alone: with a shared secret whoever checks could sign as well.
ALGORITHMS = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "Ed25519", "EdDSA"),
)
LEEWAY = timedelta(seconds=60)
OLDEST = timedelta(minutes=10)
MAX_CHARACTERS = 65_536
MAX_SUBJECT = 255  # OpenID Connect Core section 2
Claims = Mapping[str, Any]


class UnknownKey(Exception):
    """The token names a key that is not among those at hand; newer ones may have it."""


@dataclass(frozen=True, slots=True)
class Expected:
    """Whose token it must be, for whom, and for which try."""

    issuer: str
    client_id: str
    nonce: str


def refused(why: str) -> Denied:
    """Return the answer to whatever the directory, or what it says, does not vouch for."""
    return Denied(
        f"the directory does not vouch for this: {why}", code="oidc_refused", http_status=401
    )


def claims_of(token: str, keys: KeySet, expected: Expected, *, now: datetime) -> Claims:
    """Return what a token says once it has proved to be ours.

    Raises `UnknownKey` before anything is checked, `Denied` `oidc_refused`.
    """
    if len(token) > MAX_CHARACTERS:
        raise refused("the token is too long")
    try:
        key = _key_of(jws.extract_compact(token.encode("ascii")).headers(), keys)
        claims = jwt.decode(token, key, algorithms=ALGORITHMS).claims
    except (JoseError, ValueError, TypeError, RecursionError) as error:
        raise refused(f"its token does not verify ({type(error).__name__})") from error
    _check_whose(claims, expected)
    _check_when(claims, now)
    return claims


def subject_of(claims: Claims) -> str:
    """Return the name by which the directory knows somebody for good. Raises `Denied`."""
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= MAX_SUBJECT:
        raise refused("no subject")
    return subject


def is_fresh(claims: Claims, *, now: datetime, within: timedelta) -> bool:
    """Tell whether the directory says that it has just asked who it is (`auth_time`)."""
    if "auth_time" not in claims:
        return False
    return abs(now.timestamp() - _seconds(claims, "auth_time")) < within.total_seconds()


def _key_of(header: Mapping[str, Any], keys: KeySet) -> Key:
    kid = header.get("kid")
    usable = [one for one in keys.keys if not isinstance(one, OctKey)]
    found = usable if kid is None else [one for one in usable if one.kid == kid]
    if not found:
        raise UnknownKey
    if len(found) > 1:
        raise refused("the token does not say which key it is signed with")
    return found[0]


def _check_whose(claims: Claims, expected: Expected) -> None:
    if claims.get("iss") != expected.issuer:
        raise refused("another issuer")
    said = claims.get("aud")
    audience = said if isinstance(said, list) else [said]
    if expected.client_id not in audience:
        raise refused("meant for another service")
    if claims.get("azp", expected.client_id) != expected.client_id:
        raise refused("asked for by another service")
    if len(audience) > 1 and "azp" not in claims:
        raise refused("meant for several services")
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not hmac.compare_digest(
        nonce.encode("utf-8", "surrogatepass"), expected.nonce.encode()
    ):
        raise refused("of another try")
    subject_of(claims)


def _check_when(claims: Claims, now: datetime) -> None:
    at, leeway = now.timestamp(), LEEWAY.total_seconds()
    expires, issued = _seconds(claims, "exp"), _seconds(claims, "iat")
    if at >= expires + leeway:
        raise refused("expired")
    if issued > at + leeway or ("nbf" in claims and _seconds(claims, "nbf") > at + leeway):
        raise refused("not valid yet: the clocks differ")
    if issued < at - OLDEST.total_seconds():
        raise refused("issued long ago")


def _seconds(claims: Claims, name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise refused(f"no time in {name}")
    return value
