"""Sessions, one-time links and failed tries on disk."""

from collections.abc import Callable, Collection
from datetime import datetime, timedelta

import sqlalchemy as sa

from security.people import Factor, Link, LinkPurpose, Principal, Session, SessionKind
from server.db import schema as t
from server.db.engine import Database, one_row
from server.db.people import (
    Row,
    SqlPeople,
    columns,
    end_sessions,
    part,
    read_municipality,
    read_office,
    read_tablet,
)

_KEPT = timedelta(days=1)  # ended sessions and links stay this long, for whoever looks into a log


class SqlSessions:
    """Who is signed in, by which token's hash."""

    def __init__(self, database: Database, people: SqlPeople) -> None:
        self._database = database
        self._people = people

    # Failed tries

    async def count_try(
        self, key: str, now: datetime, *, limit: int, forget_before: datetime
    ) -> int:
        """Count a try under `key` and return the count; stop counting above `limit`.

        Counting begins anew when the last one is older than `forget_before`.
        """
        tries = t.sign_in_try
        this = tries.c.key == key
        async with self._database.writing() as connection:
            row = (await connection.execute(sa.select(tries).where(this))).one_or_none()
            if row is None:
                new = {"key": key, "failures": 1, "last_at": now}
                await connection.execute(sa.insert(tries).values(new))
                return 1
            count = 1 if row.last_at <= forget_before else row.failures + 1
            if count <= limit:
                values = {"failures": count, "last_at": now}
                await connection.execute(sa.update(tries).where(this).values(values))
            return int(count)

    async def count_spaced_try(
        self, key: str, now: datetime, *, pause: Callable[[int], timedelta]
    ) -> tuple[timedelta, int]:
        """Count a try under `key` unless `pause(tries so far)` since the last one is not over.

        Return what is left to wait (nothing: it was counted) and the count. A clock that was set
        back makes nobody wait longer than the pause.
        """
        tries = t.sign_in_try
        this = tries.c.key == key
        async with self._database.writing() as connection:
            row = (await connection.execute(sa.select(tries).where(this))).one_or_none()
            if row is None:
                new = {"key": key, "failures": 1, "last_at": now}
                await connection.execute(sa.insert(tries).values(new))
                return timedelta(0), 1
            wait = pause(row.failures)
            left = min(wait, row.last_at + wait - now)
            if left > timedelta(0):
                return left, int(row.failures)
            values = {"failures": row.failures + 1, "last_at": now}
            await connection.execute(sa.update(tries).where(this).values(values))
            return timedelta(0), int(row.failures) + 1

    async def clear_tries(self, key: str) -> None:
        """Forget the tries under `key`."""
        await self._do(sa.delete(t.sign_in_try).where(t.sign_in_try.c.key == key))

    # Sessions

    async def begin(self, session: Session, *, unused_since: datetime) -> None:
        """Store a new session; a clerk's replaces whichever clerk was signed in on the tablet.

        A desk is 離席 at first, unless the person sits at it already: in another session that is
        live and was used after `unused_since`.
        """
        values = {c.name: getattr(session, c.name) for c in t.session.c}
        async with self._database.writing() as connection:
            if session.kind is SessionKind.CLERK:
                before = (t.session.c.tablet_id == session.tablet_id, t.session.c.kind == "clerk")
                await connection.execute(end_sessions(session.created_at).where(*before))
            if session.kind is SessionKind.DESK:
                await connection.execute(_close_desk(session, unused_since))
            await connection.execute(sa.insert(t.session).values(values))

    async def principal(self, token_hash: str, kind: SessionKind) -> Principal | None:
        """Return the session with all that stands behind it, ended or not."""
        which = (t.session.c.token_hash == token_hash, t.session.c.kind == kind)
        async with self._database.reading() as connection:
            row = (await connection.execute(_PRINCIPAL.where(*which))).one_or_none()
        return None if row is None else self._read_principal(row)

    async def touch(self, token_hash: str, now: datetime) -> None:
        """Note that the session was used."""
        this = t.session.c.token_hash == token_hash
        await self._do(sa.update(t.session).where(this).values(last_seen_at=now))

    async def end(self, token_hash: str, now: datetime) -> None:
        """End one session."""
        await self._do(end_sessions(now).where(t.session.c.token_hash == token_hash))

    async def set_factor(self, token_hash: str, factor: Factor) -> None:
        """Note that the session rests on a second factor from now on."""
        this = t.session.c.token_hash == token_hash
        await self._do(sa.update(t.session).where(this).values(factor=factor))

    async def end_sessions_of(
        self, municipality_id: str, person_id: str, now: datetime, *, but: str | None = None
    ) -> None:
        """End every session of the person, `but` the one of that token's hash."""
        mine = [t.session.c.municipality_id == municipality_id, t.session.c.person_id == person_id]
        if but is not None:
            mine.append(t.session.c.token_hash != but)
        await self._do(end_sessions(now).where(*mine))

    async def end_recovering(self, municipality_id: str, person_id: str, now: datetime) -> None:
        """End the halves of a sign-in that the person began by a recovery's link."""
        mine = (
            t.session.c.municipality_id == municipality_id,
            t.session.c.person_id == person_id,
            t.session.c.factor == Factor.RECOVERY,
        )
        await self._do(end_sessions(now).where(*mine))

    async def drop_links(self, municipality_id: str, person_id: str, purpose: LinkPurpose) -> None:
        """Void the person's unused links of a purpose."""
        which = (
            t.link.c.municipality_id == municipality_id,
            t.link.c.person_id == person_id,
            t.link.c.purpose == purpose,
            t.link.c.used_at.is_(None),
        )
        await self._do(sa.delete(t.link).where(*which))

    async def live_sessions(self, hashes: Collection[str], now: datetime) -> set[str]:
        """Return those of `hashes` that nothing has ended (idleness apart)."""
        live = (
            sa.select(t.session.c.token_hash)
            .outerjoin(t.person, t.person.c.id == t.session.c.person_id)
            .outerjoin(t.tablet, t.tablet.c.id == t.session.c.tablet_id)
            .where(
                t.session.c.token_hash.in_(list(hashes)),
                t.session.c.revoked_at.is_(None),
                t.session.c.expires_at > now,
                t.person.c.disabled_at.is_(None),
                t.tablet.c.revoked_at.is_(None),
            )
        )
        async with self._database.reading() as connection:
            return set((await connection.execute(live)).scalars())

    # One-time links

    async def add_link(self, link: Link) -> None:
        """Store a one-time token.

        An enrolment code replaces the tablet's former ones, a link for a password the person's.
        """
        values = {c.name: getattr(link, c.name) for c in t.link.c}
        whose = {
            LinkPurpose.ENROL: t.link.c.tablet_id == link.tablet_id,
            LinkPurpose.PASSWORD: t.link.c.person_id == link.person_id,
        }.get(link.purpose)
        unused = (t.link.c.purpose == link.purpose, t.link.c.used_at.is_(None))
        async with self._database.writing() as connection:
            if whose is not None:
                await connection.execute(sa.delete(t.link).where(whose, *unused))
            await connection.execute(sa.insert(t.link).values(values))

    async def link(self, token_hash: str) -> Link | None:
        """Return a link, used or not."""
        query = sa.select(t.link).where(t.link.c.token_hash == token_hash)
        async with self._database.reading() as connection:
            row = (await connection.execute(query)).one_or_none()
        return None if row is None else _read_link(row)

    async def use_link(self, token_hash: str, purpose: LinkPurpose, now: datetime) -> Link | None:
        """Mark a link as used and return it; None when unknown, used, expired or of other purpose.

        Of any number of callers at once, one gets it.
        """
        usable_link = (
            t.link.c.token_hash == token_hash,
            t.link.c.purpose == purpose,
            t.link.c.used_at.is_(None),
            t.link.c.expires_at > now,
        )
        async with self._database.writing() as connection:
            marking = sa.update(t.link).where(*usable_link).values(used_at=now)
            if not one_row(await connection.execute(marking)):
                return None
            query = sa.select(t.link).where(t.link.c.token_hash == token_hash)
            return _read_link((await connection.execute(query)).one())

    async def sweep(self, now: datetime) -> None:
        """Delete sessions, links and tries that ended a day ago or earlier."""
        past = now - _KEPT
        async with self._database.writing() as connection:
            ended = (t.session.c.expires_at <= past) | (t.session.c.revoked_at <= past)
            await connection.execute(sa.delete(t.session).where(ended))
            await connection.execute(sa.delete(t.link).where(t.link.c.expires_at <= past))
            await connection.execute(
                sa.delete(t.sign_in_try).where(t.sign_in_try.c.last_at <= past)
            )

    # Within

    async def _do(self, statement: sa.Update | sa.Delete) -> None:
        async with self._database.writing() as connection:
            await connection.execute(statement)

    def _read_principal(self, row: Row) -> Principal:
        return Principal(
            session=_read_session(part(row, t.session)),
            municipality=read_municipality(part(row, t.municipality)),
            person=None if row.person_id is None else self._people.read_person(row),
            tablet=None if row.tablet_id is None else read_tablet(part(row, t.tablet)),
            office=None if row.office_id is None else read_office(part(row, t.office)),
        )


_PRINCIPAL = (
    sa.select(*columns(t.session, t.municipality, t.person, t.tablet, t.office))
    .join(t.municipality, t.municipality.c.id == t.session.c.municipality_id)
    .outerjoin(t.person, t.person.c.id == t.session.c.person_id)
    .outerjoin(t.tablet, t.tablet.c.id == t.session.c.tablet_id)
    .outerjoin(t.office, t.office.c.id == t.tablet.c.office_id)
)


def _close_desk(session: Session, unused_since: datetime) -> sa.Update:
    sits_there = sa.exists().where(
        t.session.c.person_id == session.person_id,
        t.session.c.kind == SessionKind.DESK,
        t.session.c.revoked_at.is_(None),
        t.session.c.expires_at > session.created_at,
        t.session.c.last_seen_at > unused_since,
    )
    this = (
        t.person.c.municipality_id == session.municipality_id,
        t.person.c.id == session.person_id,
    )
    return sa.update(t.person).where(*this, ~sits_there).values(desk_open=False)


def _read_session(row: Row) -> Session:
    values = {column.name: getattr(row, column.name) for column in t.session.c}
    factor = Factor(row.factor) if row.factor else None
    return Session(**{**values, "kind": SessionKind(row.kind), "factor": factor})


def _read_link(row: Row) -> Link:
    values = {column.name: getattr(row, column.name) for column in t.link.c}
    return Link(**{**values, "purpose": LinkPurpose(row.purpose)})
