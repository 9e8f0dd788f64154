"""What was let pass, by whom, under which policy: the lock, the record and its verifier agree."""

import io
from dataclasses import replace
from datetime import date

import pytest

from security.errors import Conflict
from server.calls.call import Outcome
from server.procedures import lock
from server.procedures.documents import Shown
from server.procedures.lock import Confirming, lock_of
from server.procedures.sheet import About, Approval, Sheet
from server.records import bundle
from server.records.compose import Known, compose, template_bytes
from server.records.record import RECORD_LABEL, Record, sign
from server.records.verify import STEPS, Failed, Verifier
from tests.server import make_record_vectors as v

DAY = v.AT.date()
EXPIRED = (Shown("passport", date(2026, 1, 9)),)
NEVER, OVERRIDE = Confirming("never"), Confirming("override")
SHEET = replace(v.SHEET, progress=replace(v.PROGRESS, documents=EXPIRED))


def asked(sheet: Sheet, confirming: Confirming, person: str = "desk-1") -> Sheet:
    """Return the sheet once a person has asked to let the documents pass."""
    about = About.DOCUMENTS
    return lock.ask(
        v.TEMPLATE, sheet, DAY, confirming, about, reason="紛失", person_id=person, now=v.AT
    )


def approved(sheet: Sheet, senior: str = "senior-1") -> Sheet:
    """Return the sheet once a senior has agreed to that."""
    return lock.answer(
        sheet, About.DOCUMENTS, approve=True, reason=None, person_id=senior, now=v.AT
    )


def kinds(sheet: Sheet, confirming: Confirming, desk: str = "desk-1") -> list[str]:
    """Return of which kinds needs are missing."""
    return [one.kind for one in lock_of(v.TEMPLATE, sheet, DAY, confirming, desk).missing]


def failed(known: Known, when: str) -> str | None:
    """Return why the bundle of a call under such a policy is refused, None when it verifies."""
    policy = f'[people]\nsenior_approval = "{when}"\n'.encode()
    record = compose(replace(known, policy_text=policy))
    said = record.to_bytes()
    signed = bundle.Signed(said, sign(v.KEY, RECORD_LABEL, said))
    template = template_bytes(v.TEMPLATE)
    contents = bundle.Contents(signed, template, policy, v.CHAT, v.segment(), v.evidence())
    content = bundle.make(contents, v.KEY, now=v.AT)
    try:
        assert len(list(Verifier(io.BytesIO(content), v.public_key()).run())) == len(STEPS)
    except Failed as error:
        return f"{error.name}: {error.why}"
    return None


def known(sheet: Sheet, desk: str = "desk-1") -> Known:
    """Return what a record of that sheet is made from."""
    found = v.known()
    names = {**found.names, "senior-1": "見本 一郎"}
    return replace(found, sheet=sheet, names=names, call=replace(found.call, desk_id=desk))


def test_what_the_desk_lets_pass_alone_counts_while_the_policy_wants_no_senior() -> None:
    assert kinds(SHEET, NEVER) == ["documents"]
    alone = asked(SHEET, NEVER)
    assert kinds(alone, NEVER) == []
    assert failed(known(alone), "never") is None
    # The policy is tightened while the call goes on: now a senior is asked.
    assert kinds(alone, OVERRIDE) == ["documents"]
    assert "an approval is nobody's" in (failed(known(alone), "override") or "")
    call = replace(v.known().call, outcome=Outcome.ABORTED, reason="line_lost")
    assert failed(replace(known(alone), call=call), "override") is None
    again = asked(alone, OVERRIDE)
    assert again.progress.deferred
    assert kinds(approved(again), OVERRIDE) == []
    with pytest.raises(Conflict, match="no document is missing"):
        asked(alone, NEVER)


def test_a_senior_who_takes_the_call_over_asks_another_one() -> None:
    sheet = approved(asked(SHEET, OVERRIDE))
    assert failed(known(sheet), "override") is None
    assert kinds(sheet, OVERRIDE, desk="senior-1") == ["documents"]
    assert "outcome: 確認済み although" in (failed(known(sheet, desk="senior-1"), "override") or "")
    again = approved(asked(sheet, OVERRIDE, person="senior-1"), senior="senior-2")
    assert kinds(again, OVERRIDE, desk="senior-1") == []


def test_the_record_says_what_was_missing_although_it_was_let_pass() -> None:
    record: Record = compose(known(approved(asked(SHEET, OVERRIDE))))
    left = [(need.kind, need.left) for step in record.steps for need in step.needs if need.left]
    assert (left, record.left) == ([("documents", 1)], 0)
    assert record.documents_let_pass


def test_where_always_a_senior_confirms_a_record_without_that_does_not_verify() -> None:
    said = Approval(
        About.DECISION, "確認", "desk-1", v.AT, True, None, answered_by="senior-1", answered_at=v.AT
    )
    confirmed = replace(v.SHEET, approvals=(said,))
    assert failed(known(confirmed), "always") is None
    assert "no senior agreed" in (failed(known(v.SHEET), "always") or "")
    own = replace(said, asked_by="clerk-1", answered_by="desk-1")
    mine = known(replace(v.SHEET, approvals=(own,)))
    assert "who decided" in (failed(mine, "always") or "")
    assert failed(mine, "override") is None
    aborted = replace(mine, call=replace(mine.call, outcome=Outcome.ABORTED, reason="x"))
    assert failed(aborted, "always") is None
