"""One try at signing in by a directory: what is derived from its secret, and where it leads. Pure.

Authorization code flow (OpenID Connect Core 3.1) with PKCE S256 (RFC 7636). A try has one secret,
which lies in a cookie of the browser that began it and nowhere else; state, nonce and verifier
follow from it, so that nothing has to be kept here and none of them leads to another.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode, urlsplit

from security.people import SLUG_PATTERN
from security.tokens import new_token

LIFETIME = timedelta(minutes=10)
_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class Try:
    """A try at the directory of the municipality with that slug."""

    slug: str
    secret: str

    def __repr__(self) -> str:
        return f"Try({self.slug!r})"

    @property
    def state(self) -> str:
        """Return what the answer must bring back."""
        return self._derived("state")

    @property
    def nonce(self) -> str:
        """Return what the ID token must hold."""
        return self._derived("nonce")

    @property
    def verifier(self) -> str:
        """Return what proves to the directory that the code is asked for by who began."""
        return self._derived("verifier")

    @property
    def challenge(self) -> str:
        """Return what the directory is told of the verifier (RFC 7636 section 4.2)."""
        return _text(hashlib.sha256(self.verifier.encode()).digest())

    def cookie(self) -> str:
        """Return the try as its cookie holds it."""
        return f"{self.slug}.{self.secret}"

    def is_answered_by(self, slug: str, state: str) -> bool:
        """Tell whether an answer that came to `slug`'s own address belongs to this try."""
        given = state.encode("utf-8", "surrogatepass")
        return slug == self.slug and hmac.compare_digest(given, self.state.encode())

    def _derived(self, use: str) -> str:
        message = f"madoguchi oidc {use} {self.slug}".encode()
        return _text(hmac.new(self.secret.encode(), message, hashlib.sha256).digest())


def new_try(slug: str) -> Try:
    """Return a fresh try."""
    return Try(slug, new_token())


def try_of(cookie: str | None) -> Try | None:
    """Return the try that a cookie holds; None when it holds none."""
    slug, _, secret = (cookie or "").partition(".")
    if SLUG_PATTERN.fullmatch(slug) is None or _SECRET.fullmatch(secret) is None:
        return None
    return Try(slug, secret)


def way_to(
    endpoint: str,
    attempt: Try,
    *,
    client_id: str,
    scopes: Collection[str],
    redirect_uri: str,
    anew: bool = False,
) -> str:
    """Return the address to which a browser goes to sign in; `anew`: whoever is signed in there.

    With `max_age` the ID token says when it was asked who it is (OpenID Connect Core 3.1.2.1).
    """
    query = urlencode(
        {
            "response_type": "code",
            "client_id": client_id,
            "redirect_uri": redirect_uri,
            "scope": " ".join(dict.fromkeys(("openid", *scopes))),
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": attempt.challenge,
            "code_challenge_method": "S256",
            **({"prompt": "login", "max_age": "0"} if anew else {}),
        }
    )
    return f"{endpoint}{'&' if urlsplit(endpoint).query else '?'}{query}"


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")
