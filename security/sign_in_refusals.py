"""The answers to whoever is not let in by a cookie, a link or a code. PROTOCOL.md section 6."""

from security.errors import Denied


def signed_out() -> Denied:
    """Return the answer to a request without a valid sign-in."""
    return Denied("nobody is signed in", code="signed_out", http_status=401)


def not_enrolled() -> Denied:
    """Return the answer to a request from a tablet that is not (or no longer) enrolled."""
    return Denied("the tablet is not enrolled", code="not_enrolled", http_status=401)


def link_used() -> Denied:
    """Return the answer to a link that is unknown, used or expired."""
    return Denied("the link is unknown, used or expired", code="link_used", http_status=401)


def code_unknown() -> Denied:
    """Return the answer to an enrolment code that is unknown, used or expired."""
    return Denied("no such enrolment code", code="code_unknown", http_status=401)
