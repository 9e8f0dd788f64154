"""Passkeys by WebAuthn (W3C Level 3): what browsers are asked, and whether an answer is good. Pure.

Asked for are discoverable credentials that verify their holder (PIN, finger, face), so that one
passkey is password and second factor in one. Attestation is not asked for: which make an
authenticator is decides nothing here.
"""

import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar
from urllib.parse import urlsplit

from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import (
    options_to_json_dict,
    parse_authentication_credential_json,
    parse_client_data_json,
    parse_registration_credential_json,
)
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from security.challenges import bad_passkey
from security.errors import Conflict, ProtocolError
from security.factors import Enrolled

Json = dict[str, Any]
T = TypeVar("T")
MAX_KEY_BYTES = 2048
MAX_ID_BYTES = 1023  # WebAuthn section 5.8.3
_TIMEOUT_MS = 300_000


@dataclass(frozen=True, slots=True)
class Place:
    """Where a passkey is used: the page's origin and the domain (RP ID) it belongs to."""

    origin: str
    rp_id: str


@dataclass(frozen=True, slots=True)
class Asserted:
    """What an assertion says before it is verified."""

    credential_id: bytes
    challenge: bytes
    municipality_id: str
    person_id: str


@dataclass(frozen=True, slots=True)
class Made:
    """A new passkey."""

    credential_id: bytes
    public_key: bytes
    counter: int


def why_no_passkeys(public_url: str | None) -> str | None:
    """Say why an address cannot have passkeys, by a stable code; None when it can.

    WebAuthn binds them to a domain name that is reached by https (localhost apart).
    """
    if not public_url:
        return "no_address"
    split = urlsplit(public_url)
    host = split.hostname or ""
    if host == "localhost":
        return None
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return None if split.scheme == "https" else "no_https"
    return "no_domain"


def place_of(origin: str, public_url: str | None, others: Sequence[str] = ()) -> Place | str:
    """Return the place of a page, or the code of why it has no passkeys.

    The domain is that of `public_url`; a page of `others` has it too when its host is the same or
    below. http://localhost stands for itself, for trying on one machine.
    """
    if urlsplit(origin).hostname == "localhost" and origin not in (public_url, *others):
        return Place(origin, "localhost")
    why = why_no_passkeys(public_url)
    if why is not None:
        return why
    rp_id = urlsplit(public_url or "").hostname or ""
    host = urlsplit(origin).hostname or ""
    if why_no_passkeys(origin) or not (host == rp_id or host.endswith(f".{rp_id}")):
        return "other_address"
    return Place(origin, rp_id)


def no_passkeys_here(why: str) -> Conflict:
    """Return the answer at an address that cannot have passkeys."""
    return Conflict(f"no passkeys at this address: {why}", code="no_passkeys_here")


def options_to_make(
    place: Place, challenge: bytes, *, handle: bytes, login: str, service: str, known: list[bytes]
) -> Json:
    """Return what `navigator.credentials.create` is asked; `known` ids are not made again."""
    options = generate_registration_options(
        rp_id=place.rp_id,
        rp_name=service,
        user_id=handle,
        user_name=login,
        challenge=challenge,
        timeout=_TIMEOUT_MS,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=one) for one in known],
    )
    return options_to_json_dict(options)


def options_to_use(place: Place, challenge: bytes) -> Json:
    """Return what `navigator.credentials.get` is asked: any passkey of the place."""
    options = generate_authentication_options(
        rp_id=place.rp_id,
        challenge=challenge,
        timeout=_TIMEOUT_MS,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return options_to_json_dict(options)


def handle_of(municipality_id: str, person_id: str) -> bytes:
    """Return the user handle: ids without meaning, at most 64 bytes."""
    return f"{municipality_id}:{person_id}".encode()


def challenge_made(credential: Json) -> bytes:
    """Return the challenge that a new passkey answers. Raises `ProtocolError`."""
    return _or(_not_made, lambda: _challenge_of(parse_registration_credential_json(credential)))


def verify_made(credential: Json, challenge: bytes, place: Place) -> Made:
    """Return the passkey that was made. Raises `ProtocolError` `bad_passkey_made`."""
    found = _or(
        _not_made,
        lambda: verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=place.rp_id,
            expected_origin=place.origin,
            require_user_verification=True,
        ),
    )
    too_long = len(found.credential_public_key) > MAX_KEY_BYTES
    if too_long or not 0 < len(found.credential_id) <= MAX_ID_BYTES:
        _not_made(None)
    return Made(found.credential_id, found.credential_public_key, found.sign_count)


def read_asserted(credential: Json) -> Asserted:
    """Return what an assertion says. Raises `Denied` `bad_passkey`."""

    def read() -> Asserted:
        parsed = parse_authentication_credential_json(credential)
        handle = (parsed.response.user_handle or b"").decode("ascii")
        municipality_id, person_id = handle.split(":")
        return Asserted(parsed.raw_id, _challenge_of(parsed), municipality_id, person_id)

    return _or(_not_good, read)


def verify_asserted(credential: Json, challenge: bytes, place: Place, factor: Enrolled) -> int:
    """Return the new signature counter of an assertion by `factor`.

    Raises `Denied` `bad_passkey`: wrong origin, domain, signature or challenge, holder not present
    or not verified. Whether the counter went forward is asked by `counter_goes_on`.
    """
    if factor.public_key is None or factor.rp_id != place.rp_id:
        raise bad_passkey()
    key = factor.public_key
    verified = _or(
        _not_good,
        lambda: verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=place.rp_id,
            expected_origin=place.origin,
            credential_public_key=key,
            credential_current_sign_count=0,
            require_user_verification=True,
        ),
    )
    return verified.new_sign_count


def counter_goes_on(before: int, now: int) -> bool:
    """Tell whether a signature counter is as it must be: growing, or never used (always 0).

    One that does not grow is the sign of a copied authenticator (WebAuthn section 6.1.1).
    """
    return now > before or (now == 0 and before == 0)


def _challenge_of(parsed: Any) -> bytes:
    return parse_client_data_json(parsed.response.client_data_json).challenge


def _or(fail: Callable[[Exception | None], NoReturn], work: Callable[[], T]) -> T:
    # The library raises whatever malformed CBOR, JSON and keys make its parsers raise.
    try:
        return work()
    except Exception as error:
        fail(error)


def _not_made(error: Exception | None) -> NoReturn:
    raise ProtocolError("the new passkey is not good", code="bad_passkey_made") from error


def _not_good(error: Exception | None) -> NoReturn:
    raise bad_passkey() from error
