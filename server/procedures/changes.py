"""What differs between two templates of a procedure, in words for whoever approves. Pure."""

from collections.abc import Iterator

from server.procedures.template import Step, Template
from server.procedures.words import Words

Both = dict[str, str]


def changes(before: Template, after: Template) -> list[Both]:
    """Return every difference, each as a sentence in both languages, in the order of the file."""
    return [*_heads(before, after), *_rules(before, after), *_steps(before, after)]


def _both(ja: str, en: str) -> Both:
    return {"ja": ja, "en": en}


def _heads(before: Template, after: Template) -> Iterator[Both]:
    names = (
        ("name", "名前", "The name"),
        ("what", "説明", "The description"),
        ("reason", "準備中の理由", "The reason"),
        ("basis", "根拠", "The legal basis"),
        ("way", "方式", "The way of handing over"),
        ("order", "並び順", "The place in the list"),
    )
    for key, ja, en in names:
        old, new = getattr(before, key), getattr(after, key)
        if old != new:
            yield _both(
                f"{ja}：{_text(old, 'ja')} → {_text(new, 'ja')}",
                f"{en}: {_text(old, 'en')} → {_text(new, 'en')}",
            )


def _text(value: object, language: str) -> str:
    if isinstance(value, Words):
        return str(getattr(value, language))
    return "―" if value is None else str(value)


def _rules(before: Template, after: Template) -> Iterator[Both]:
    lost = [one.value for one in before.outcomes if one not in after.outcomes]
    new = [one.value for one in after.outcomes if one not in before.outcomes]
    if lost:
        yield _both(f"判定から外れる：{', '.join(lost)}", f"Outcomes left out: {', '.join(lost)}")
    if new:
        yield _both(f"判定に加わる：{', '.join(new)}", f"Outcomes added: {', '.join(new)}")
    if before.documents != after.documents:
        yield _both("本人確認書類の条件が変わる", "What identity documents are enough changes")


def _steps(before: Template, after: Template) -> Iterator[Both]:
    old, new = ({step.id: step for step in one.steps} for one in (before, after))
    for step in before.steps:
        if step.id not in new:
            yield _both(f"ステップがなくなる：{step.title.ja}", f"Step removed: {step.title.en}")
    for step in after.steps:
        if step.id not in old:
            yield _both(f"ステップが加わる：{step.title.ja}", f"Step added: {step.title.en}")
        else:
            yield from _step(old[step.id], step, before, after)
    kept = [[x.id for x in one.steps if x.id in old and x.id in new] for one in (before, after)]
    if kept[0] != kept[1]:
        yield _both("ステップの順番が変わる", "The order of the steps changes")


def _step(old: Step, new: Step, before: Template, after: Template) -> Iterator[Both]:
    title_ja, title_en = old.title.ja, old.title.en
    lost = [one for one in old.needs if one not in new.needs]
    more = [one for one in new.needs if one not in old.needs]
    for kind in (one.kind for one in lost):
        yield _both(f"「{title_ja}」から外れる・変わる：{kind}", f"“{title_en}” loses: {kind}")
    for kind in (one.kind for one in more):
        yield _both(f"「{title_ja}」に加わる・変わる：{kind}", f"“{title_en}” gains: {kind}")
    if before.before(old) != after.before(new):
        yield _both(
            f"「{title_ja}」の前に済ませるステップが変わる",
            f"What comes before “{title_en}” changes",
        )
    if old.reopens != new.reopens:
        ja = "やり直す" if new.reopens else "やり直さない"
        en = "is done again" if new.reopens else "is not done again"
        yield _both(f"「{title_ja}」を中断のあとに{ja}", f"“{title_en}” {en} after an interruption")
    if (old.title, old.script, old.now) != (new.title, new.script, new.now):
        yield _both(f"「{title_ja}」の文言が変わる", f"The words of “{title_en}” change")
