"""Everything that touches the world, put together once. No globals, no work at import."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from chat.log import ChatLog
from files.copies import Copies
from files.uploads import Uploads
from media.engine import MediaEngine
from security.bad_tokens import BadTokens
from security.clerk_sign_in import ClerkSignIn
from security.fresh import FreshSignIns
from security.gate import Gate
from security.people import Principal
from security.recoveries import Recoveries
from security.second_factor import SecondFactor
from security.sign_in import SignIn
from server.administration import Administration
from server.api.hub import Hub
from server.api.officer_lines import OfficerLines
from server.api.present import Present
from server.api.shifts import Shifts
from server.api.steps_told import StepsTold
from server.api.tablet_proof import TabletProof
from server.audit_export import AuditExport
from server.audit_signing import AuditSigning
from server.call_steps import CallSteps
from server.call_times import CallTimes
from server.calls.registry import Registry
from server.count_months import CountMonths
from server.db.api_tokens import SqlApiTokens
from server.db.audit import SqlAudit
from server.db.calls import SqlCalls
from server.db.counts import SqlCounts
from server.db.engine import Database
from server.db.factors import SqlFactors
from server.db.outbox import SqlOutbox
from server.db.people import SqlPeople
from server.db.policies import SqlPolicies
from server.db.prechecks import SqlPrechecks
from server.db.procedures import SqlProcedures
from server.db.sessions import SqlSessions
from server.db.tallies import SqlTallies
from server.db.webhooks import SqlWebhooks
from server.hooks.worker import Deliveries
from server.keys import KeyRing
from server.loop_lag import LoopLag
from server.oidc.sign_in import OidcSignIn
from server.path_watch import PathWatch
from server.policies import PolicyBook
from server.policy_review import PolicyReview
from server.precheck.run import Prechecks
from server.procedure_review import ProcedureReview
from server.procedures.book import ProcedureBook
from server.procedures.catalog import Catalog
from server.quality_watch import QualityWatch
from server.record_bundles import RecordBundles
from server.record_keeper import RecordKeeper
from server.record_paper import RecordPaper
from server.relay import Grant, Relay, RelayUse, grant
from server.retention import Retention
from server.settings import Settings
from server.stricter import relay_use


@dataclass(frozen=True, slots=True)
class Parts:
    """What the application is composed of. Tests make their own."""

    settings: Settings
    clock: Callable[[], datetime]
    epoch: str
    database: Database
    people: SqlPeople
    sessions: SqlSessions
    sign_in: SignIn
    oidc: OidcSignIn
    factors: SqlFactors
    second_factor: SecondFactor
    fresh: FreshSignIns
    recoveries: Recoveries
    calls: SqlCalls
    keys: KeyRing
    gate: Gate
    audit: SqlAudit
    signing: AuditSigning
    export: AuditExport | None
    outbox: SqlOutbox
    webhooks: SqlWebhooks
    deliveries: Deliveries
    policies: PolicyBook
    policy_store: SqlPolicies
    tallies: SqlTallies
    review: PolicyReview
    officer_lines: OfficerLines
    present: Present
    paths: PathWatch
    chat: ChatLog
    uploads: Uploads
    copies: Copies
    media: MediaEngine
    relay: Relay | None
    registry: Registry
    hub: Hub
    catalog: Catalog
    procedures: ProcedureBook
    administration: Administration
    templates: ProcedureReview
    procedure_store: SqlProcedures
    loop_lag: LoopLag
    prechecks: Prechecks
    precheck_store: SqlPrechecks
    retention: Retention
    times: CallTimes
    tablets: TabletProof
    clerks: ClerkSignIn
    shifts: Shifts
    quality: QualityWatch
    steps: CallSteps
    steps_told: StepsTold
    records: RecordKeeper
    bundles: RecordBundles
    paper: RecordPaper
    api_tokens: SqlApiTokens
    bad_tokens: BadTokens
    counted: SqlCounts
    counts: CountMonths

    def relay_grant(self, municipality_id: str) -> Grant | None:
        """Return what a page of the municipality needs for the relay, None when it has none."""
        return grant(self.relay, self.relay_use(municipality_id), now=self.clock())

    def relay_use(self, municipality_id: str) -> RelayUse:
        """Return how pages use the relay.

        The settings say what there is, a municipality's policy how it is used.
        """
        policy = self.policies.set_in(municipality_id)
        return RelayUse(relay_use(policy, self.settings.relay.use))

    def media_from(self, municipality_id: str) -> tuple[str, ...] | None:
        """Return the addresses from which alone media is taken; None: from anywhere.

        With `only` those of the relay, and so from nowhere when there is none.
        """
        policy = self.policies.set_in(municipality_id)
        asked = policy.network.relay if policy else ""
        if RelayUse.ONLY not in (self.relay_use(municipality_id), asked):
            return None
        return self.relay.addresses if self.relay is not None else ()

    def busy(self, principal: Principal) -> bool:
        """Tell whether a person or the tablet is in an open call: idleness never ends one."""
        if principal.tablet is not None:
            return self.registry.of_tablet(principal.tablet.id) is not None
        return (
            principal.person is not None
            and self.registry.of_person(principal.person.id) is not None
        )
