"""Writes the turnserver.conf (coturn) that fits the settings. Pure.

What the relay may reach is our media address and nothing else: it is no way into the network.
"""

from collections.abc import Sequence

from server.relay import PORTS, URL_PATTERN, Relay

# Ports of allocations; each is one page on one path.
FIRST_PORT, LAST_PORT = 49152, 53247
PER_NAME, IN_ALL = 16, 4000
STALE_NONCE_SECONDS = 600

_TEXT = """\
# coturn for madoguchi. It holds a secret: keep its mode 0600, owner turnserver.
# The secret is the same as in {secret_file}.
use-auth-secret
static-auth-secret={secret}
realm={realm}
{ports}
min-port={first}
max-port={last}

# Peers: our media address and nothing else; datagrams alone, nothing to this machine itself.
denied-peer-ip=0.0.0.0-255.255.255.255
denied-peer-ip=::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff
{allowed}
no-multicast-peers
no-tcp-relay

# Limits: allocations by one name and in all.
user-quota={per_name}
total-quota={in_all}
stale-nonce={stale}

no-cli
no-rfc5780
no-stun-backward-compatibility
response-origin-only-with-rfc5780
{tls}"""
_WITH_TLS = """\
no-dtls
no-tlsv1
no-tlsv1_1
cert=/etc/madoguchi/relay.crt
pkey=/etc/madoguchi/relay.key
"""
_WITHOUT_TLS = "no-tls\nno-dtls\n"
_TLS_ALONE = "no-udp\nno-tcp\n"


def turnserver_conf(relay: Relay, *, media: Sequence[str], secret_file: str) -> str:
    """Return the text of turnserver.conf for `relay`, whose peers are the `media` addresses."""
    found = [match for url in relay.urls if (match := URL_PATTERN.fullmatch(url))]
    ports = {m["scheme"]: int(m["port"] or PORTS[m["scheme"]]) for m in found}
    names = {"turn": "listening-port", "turns": "tls-listening-port"}
    hosts = [match["host"] for match in found]
    tls = _WITH_TLS if "turns" in ports else _WITHOUT_TLS
    return _TEXT.format(
        secret=relay.secret,
        secret_file=secret_file,
        realm=hosts[0].strip("[]") if hosts else "madoguchi",
        ports="\n".join(f"{names[scheme]}={port}" for scheme, port in ports.items()),
        first=FIRST_PORT,
        last=LAST_PORT,
        allowed="\n".join(f"allowed-peer-ip={address}" for address in media),
        per_name=PER_NAME,
        in_all=IN_ALL,
        stale=STALE_NONCE_SECONDS,
        tls=tls if "turn" in ports else tls + _TLS_ALONE,
    )
