"""What the policies in force ask of the machine, and what nobody has decided yet."""

from collections.abc import Iterator

from security.policy.model import Policy
from server.check.finding import Finding, ok, warning
from server.settings import Settings


def tls(settings: Settings, policies: dict[str, Policy]) -> Iterator[Finding]:
    """Tell which TLS versions are taken, and whether the policies can be kept so."""
    newest = [slug for slug, one in policies.items() if one.network.tls_minimum == "1.3"]
    if settings.server.tls_certificate is None:
        if newest:
            asked = f"{', '.join(newest)} asks for TLS 1.3 (network.tls_minimum)"
            text = f"{asked}; the proxy that ends TLS must be set so, as it is not seen here"
            yield warning("policy", text)
        return
    if newest and len(newest) == len(policies):
        yield ok("policy", "connections of TLS 1.3 alone are taken, as every policy asks")
    elif newest:
        text = "TLS 1.2 is taken too, as not every policy asks for 1.3; refused to those of"
        yield ok("policy", f"{text} {', '.join(newest)} once it is known whose they are")
    elif policies:
        yield ok("policy", "connections of TLS 1.2 and 1.3 are taken")


def undecided(policies: dict[str, Policy]) -> Iterator[Finding]:
    """Tell which settings wait for the officers: real calls wait for them."""
    for slug, policy in policies.items():
        unset = ", ".join(policy.unset())
        if unset:
            yield warning("policy", f"{slug}: to be set before real calls: {unset}")
