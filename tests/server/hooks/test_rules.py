"""When it is tried again, where it may go, how it is signed: by the public libraries' judgement."""

import base64
import json
import subprocess
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from security.errors import ProtocolError
from security.policy.sections.hooks import Hooks
from server.hooks.address import is_listed, may_reach, reachable, target_of
from server.hooks.schedule import LIFETIME, next_try
from server.hooks.signing import SigningKeys, headers, new_secret, public_text

ROOT = Path(__file__).resolve().parents[3]
START = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


def tries(luck: float) -> list[datetime]:
    """Return when something that always fails is tried."""
    found, now = [START], START
    while (again := next_try(len(found), START, now, luck=luck)) is not None:
        assert again > now
        found.append(again)
        now = again
    return found


@pytest.mark.parametrize("luck", [0.0, 0.5, 1.0])
def test_what_always_fails_is_tried_for_a_day_less_and_less_often(luck: float) -> None:
    found = tries(luck)
    assert found[-1] == START + LIFETIME
    gaps = [b - a for a, b in pairwise(found)]
    assert gaps[:-1] == sorted(gaps[:-1])
    assert gaps[0] <= timedelta(seconds=6)
    assert 9 <= len(found) <= 14


def test_what_a_receiver_asks_for_is_granted_up_to_an_hour() -> None:
    def after(**asked: float) -> timedelta:
        at = next_try(1, START, START, luck=0, asked=timedelta(**asked))
        assert at is not None
        return at - START

    assert after(seconds=1) == timedelta(seconds=5)
    assert after(minutes=7) == timedelta(minutes=7)
    assert after(days=9) == timedelta(hours=1)


def test_a_folder_is_tried_for_ever_and_often() -> None:
    at = next_try(500, START, START + timedelta(days=40), luck=1, for_ever=True)
    assert at == START + timedelta(days=40, minutes=10)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "::1", "0.0.0.0", "::", "10.1.2.3", "172.16.0.1", "192.168.1.1"),
        *("169.254.169.254", "fe80::1", "fd00::1", "100.64.0.1", "224.0.0.1", "ff02::1"),
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "2002:7f00:1::1"),
        *("64:ff9b::7f00:1", "64:ff9b:1::1", "255.255.255.255", "198.18.0.1", "192.0.2.1"),
        *("fe80::1%eth0", "nonsense", ""),
    ],
)
def test_an_inner_address_is_reached_only_when_it_is_listed(address: str) -> None:
    assert not may_reach(address, ())
    if "%" not in address and len(address) > 2 and address != "nonsense":
        assert may_reach(address, ("0.0.0.0/0", "::/0"))


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_a_public_address_is_reached(address: str) -> None:
    assert may_reach(address, ())


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a.example/",
        "https://",
        "https:///a",
        "https://u:p@a.example/",
        "https://a.example/#part",
        "https://a.example:0/",
        "https://a.example:99999/",
        "https://a.example\\@b.example/",
        "https://a.example/ b",
        "https://あ.example/",
        "https://%61.example/",
        "javascript:alert(1)",
        "//a.example/",
        "https://a.example/" + "x" * 500,
        "https://[::1",
    ],
)
def test_an_address_that_is_not_plainly_one_is_refused(url: str) -> None:
    with pytest.raises(ProtocolError) as refused:
        target_of(url)
    assert refused.value.code == "bad_url"


@settings(max_examples=40)
@given(st.text(max_size=40))
def test_any_text_is_a_destination_or_refused(text: str) -> None:
    for url in (text, f"https://{text}"):
        with suppress(ProtocolError):
            assert target_of(url).url == url


def test_a_destination_counts_by_its_host_or_by_host_and_port() -> None:
    hooks = Hooks(destinations=("a.example", "b.example:8443", "[::1]:81"))
    urls = ("https://A.example:9/x", "https://b.example:8443/", "http://[::1]:81/")
    assert all(is_listed(target_of(url), hooks) for url in urls)
    for url in ("https://b.example/", "https://xa.example/", "https://a.example.evil/"):
        assert not is_listed(target_of(url), hooks)
    assert not is_listed(target_of("https://a.example/"), Hooks())


def test_without_tls_only_listed_networks_are_reached_and_ids_alone_sent() -> None:
    inner = Hooks(private_networks=("10.0.0.0/8",))
    plain, secured = target_of("http://a.example/"), target_of("https://a.example/")
    resolved = ["8.8.8.8", "10.1.1.1", "192.168.0.1"]
    assert reachable(plain, resolved, inner) == ["10.1.1.1"]
    assert reachable(secured, resolved, inner) == ["8.8.8.8", "10.1.1.1"]
    assert reachable(plain, resolved, inner.model_copy(update={"content": "full"})) == []


BODY = '{"type":"call.closed","data":{"名":"値"}}'.encode()


def signed(*keys: SigningKeys, at: datetime | None = None) -> dict[str, str]:
    return dict(headers("msg_1", at or datetime.now(UTC), BODY, keys))


def keys() -> SigningKeys:
    return SigningKeys(new_secret(), Ed25519PrivateKey.generate())


def test_the_public_library_for_python_verifies_both_secrets_of_a_rotation() -> None:
    new, old = keys(), keys()
    said = signed(new, old)
    for one in (new, old):
        assert Webhook(one.secret).verify(BODY, said)["type"] == "call.closed"
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret()).verify(BODY, said)
    with pytest.raises(WebhookVerificationError):
        Webhook(new.secret).verify(BODY + b" ", said)
    stale = signed(new, at=datetime.now(UTC) - timedelta(minutes=6))
    with pytest.raises(WebhookVerificationError):
        Webhook(new.secret).verify(BODY, stale)


def test_the_public_key_verifies_the_asymmetric_signatures() -> None:
    new, old = keys(), keys()
    said = signed(new, old)
    content = f"msg_1.{said['webhook-timestamp']}.".encode() + BODY
    found = [base64.b64decode(x[4:]) for x in said["webhook-signature"].split() if x[:4] == "v1a,"]
    for one, signature in zip((new, old), found, strict=True):
        raw = base64.b64decode(public_text(one.private).removeprefix("whpk_"))
        Ed25519PublicKey.from_public_bytes(raw).verify(signature, content)
        with pytest.raises(InvalidSignature):
            Ed25519PublicKey.from_public_bytes(raw).verify(signature, content + b"x")


def test_the_public_library_for_javascript_verifies_them_too() -> None:
    new, old = keys(), keys()
    asked = {
        "secrets": [new.secret, old.secret],
        "wrong": new_secret(),
        "publicKeys": [public_text(new.private), public_text(old.private)],
        "body": BODY.decode(),
        "headers": signed(new, old),
    }
    script = ROOT / "tests" / "server" / "hooks" / "verify.mjs"
    done = subprocess.run(
        ["node", str(script)], input=json.dumps(asked), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"verified": 2, "refused": 2, "asymmetric": 2}
