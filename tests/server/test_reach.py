"""Where somebody comes from: the socket's address, or what a trusted proxy says."""

import pytest

from server.api.reach import MAX_HOPS, Reach, counted_source, reached_from

PROXY = ("10.0.0.0/8", "fd00::/8")


@pytest.mark.parametrize(
    ("direct", "forwarded", "found"),
    [
        ("10.0.0.1", "203.0.113.5", "203.0.113.5"),
        ("10.0.0.1", "198.51.100.1, 203.0.113.5", "203.0.113.5"),
        ("10.0.0.1", "198.51.100.1, 203.0.113.5, 10.2.3.4", "203.0.113.5"),
        ("10.0.0.1", "10.9.9.9, 10.2.3.4", "10.9.9.9"),
        ("10.0.0.1", "2001:db8::7", "2001:db8::7"),
        ("10.0.0.1", "::ffff:203.0.113.5", "203.0.113.5"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.5, nonsense", None),
        ("10.0.0.1", "'; drop table", None),
        ("10.0.0.1", ",".join(["10.0.0.2"] * (MAX_HOPS + 1)), None),
    ],
)
def test_the_last_address_that_is_no_proxy_is_where_somebody_comes_from(
    direct: str, forwarded: str, found: str | None
) -> None:
    assert reached_from(direct, forwarded, PROXY) == found


@pytest.mark.parametrize(
    ("direct", "forwarded", "counted"),
    [
        ("203.0.113.5", "", "203.0.113.5"),
        ("203.0.113.5", "198.51.100.1", "203.0.113.5"),  # nobody trusts it
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "192.0.2.9, 198.51.100.1", "198.51.100.1"),
        ("127.0.0.1", "198.51.100.1", "198.51.100.1"),  # a proxy on this machine
        ("::1", "2001:db8::7", "2001:db8::7"),
        ("127.0.0.1", "192.0.2.9, 198.51.100.1, 10.2.3.4", "198.51.100.1"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "nonsense", "127.0.0.1"),
        ("10.0.0.1", "'; drop table", "10.0.0.1"),
        (None, "198.51.100.1", "nowhere"),
    ],
)
def test_tries_are_counted_by_the_address_that_trusted_proxies_tell(
    direct: str | None, forwarded: str, counted: str
) -> None:
    assert counted_source(Reach(direct, forwarded, None, False), PROXY) == counted
