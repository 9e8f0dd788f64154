"""Copies of checks are told from checks, and tokens are each address's own."""

from media.checks import MAX_REMEMBERED, OWN_BURST, SHARED_BURST, Checks
from media.ice import Address

HERE: Address = ("192.0.2.1", 1)
THERE: Address = ("192.0.2.2", 2)


def _ask(checks: Checks, number: int, source: Address, *, proven: bool = False) -> bool:
    """Ask for a check at time 0 as the transport does, and tell whether it is answered."""
    transaction = number.to_bytes(12, "big")
    if not checks.may_answer(transaction, source, proven=proven, now=0.0):
        return False
    checks.answered(transaction, source, proven=proven, now=0.0)
    return True


def test_a_check_is_answered_again_where_it_came_from_and_nowhere_else() -> None:
    checks = Checks()
    assert _ask(checks, 1, HERE)
    assert not _ask(checks, 1, THERE)
    assert _ask(checks, 1, HERE)
    assert checks.repeats((1).to_bytes(12, "big"), HERE)


def test_a_copy_that_was_faster_takes_nothing_from_a_proven_address() -> None:
    checks = Checks()
    assert _ask(checks, 1, THERE)
    assert _ask(checks, 1, HERE, proven=True)
    assert not _ask(checks, 1, THERE)


def test_what_is_remembered_is_bounded() -> None:
    checks = Checks()
    for number in range(MAX_REMEMBERED + 1):
        checks.answered(number.to_bytes(12, "big"), HERE, proven=True, now=float(number))
    assert not checks.repeats((0).to_bytes(12, "big"), HERE)
    assert checks.repeats((1).to_bytes(12, "big"), HERE)


def test_a_proven_address_has_tokens_that_nobody_else_can_take() -> None:
    checks = Checks()
    strangers: list[Address] = [("192.0.2.9", port) for port in range(100)]
    assert _ask(checks, 0, HERE, proven=True)
    given = sum(_ask(checks, 1 + n, strangers[n % 100]) for n in range(200))
    assert given == SHARED_BURST
    assert not _ask(checks, 0, HERE, proven=True)  # a repetition is not worth a token of its own
    given = sum(_ask(checks, 1000 + n, HERE, proven=True) for n in range(200))
    assert given in (OWN_BURST - 1, OWN_BURST)


def test_one_stranger_leaves_something_to_another() -> None:
    checks = Checks()
    assert sum(_ask(checks, n, THERE) for n in range(200)) == OWN_BURST
    assert _ask(checks, 1000, HERE)
