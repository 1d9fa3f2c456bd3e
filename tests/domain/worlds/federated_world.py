"""A world of one FederatedIdentity in memory, in virtual time, that watches the promises.

Like `driver.World`: it performs what `decide` asks for, and judges every effect by
what happened here, not by the rules' own words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from appcredential.domain import actions as act
from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.facts.annotations import (
    CLIENT_ID_ANNOTATION,
    TENANT_ID_ANNOTATION,
    WIRED_BY_ANNOTATION,
)
from appcredential.domain.lifecycle import Decision, decide
from appcredential.domain.lifecycle_settings import LifecycleSettings
from appcredential.domain.marker import Owner
from appcredential.domain.observed.entra import Application, Grant, Tenant
from appcredential.domain.observed.federated import (
    FederatedCredential,
    FederatedList,
    FederatedMemory,
    Federation,
    Issuer,
    OutputMap,
    ServiceAccount,
)
from appcredential.domain.observed.memory import Memory
from appcredential.domain.observed.observation import Observation
from appcredential.domain.proof import PROVEN, SignInResult, record
from appcredential.domain.spec.model import (
    AppCredentialSpec,
)
from appcredential.domain.spec.trusts import (
    marker_of,
    retire_time_of,
    trust_attempt,
    trusts,
)
from tests.domain.worlds.driver import BrokenPromiseError
from tests.support.builders import (
    IDENTITY,
    NOW,
    OBJECT_ID,
    OWNER,
    SECOND,
    application,
    grant,
    observation,
    resource,
    tenant,
)
from tests.support.federated import (
    ISSUER,
    NEXT_ISSUER,
    account,
    federated_spec,
    listed,
    output_map,
)

STEP: Final = timedelta(milliseconds=100)
MAX_CALM: Final = 60


@dataclass
class FederatedWorld:
    """Everything there is. Fields are what a test may change between runs."""

    spec: AppCredentialSpec = field(default_factory=federated_spec)
    now: datetime = NOW
    settings: LifecycleSettings = field(default_factory=LifecycleSettings)
    tenant: Tenant | Problem = field(default_factory=tenant)
    grant: Grant | Problem = field(default_factory=grant)
    issuer: Issuer | Problem = field(default_factory=lambda: Issuer(url=ISSUER, since=NOW))
    accounts: dict[str, ServiceAccount | Problem] = field(
        default_factory=lambda: {"orders": account()}
    )
    outputs: dict[str, OutputMap | Problem] = field(default_factory=dict)
    leaving: frozenset[str] = frozenset()
    neighbours: frozenset[str] = frozenset()
    hidden: set[str] = field(default_factory=set)
    """Ids that a stale replica does not list."""
    sign_in_audience: str = "AzureADMyOrg"
    refuses: bool = False
    """Graph fails every write."""
    revocation_uid: str | None = None
    answer: Callable[[], SignInResult] = lambda: PROVEN
    """What an exchange comes to."""

    entra: dict[str, FederatedCredential] = field(default_factory=dict)
    memory: Memory = field(default_factory=Memory)
    seen: FederatedList | None = None
    application: Application | None = None
    released: bool = False
    log: list[tuple[datetime, act.Action]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.resource = resource(
            self.spec,
            has_finalizer=False,
            creation_time=self.now,
            last_applied_time=self.now,
            status={"observedGeneration": -1},
        )
        self._count = 0
        self._written: dict[str, datetime] = {}

    # --- what tests do ---------------------------------------------------------------------

    def run(self, for_: timedelta = timedelta(0)) -> None:
        """Let the operator work for a while; at least until it sleeps."""
        until, calm = self.now + for_, 0
        while not self.released:
            decision = self.decide()
            if isinstance(decision.action, act.Sleep):
                assert decision.look_again > self.now
                if decision.look_again > until:
                    self.now = max(self.now, until)
                    return
                self.now, calm = decision.look_again, 0
                continue
            calm += 1
            assert calm <= MAX_CALM, f"livelock: {decision.action}"
            self.perform(decision)
            self.now += STEP

    def change(self, new: AppCredentialSpec) -> None:
        """Apply another spec."""
        generation = self.resource.generation + 1
        self.resource = replace(
            self.resource, spec=new, generation=generation, last_applied_time=self.now
        )

    def restart(self) -> None:
        """Lose everything that only the process knows."""
        self.memory, self.seen, self.application = Memory(), None, None

    def put(self, *credentials: FederatedCredential) -> None:
        """Have credentials in Entra that were there for long."""
        self.entra |= {c.id: c for c in credentials}

    def condition(self, kind: str) -> tuple[str, str] | None:
        """Return status and reason of a condition, as last written."""
        for c in self.resource.status.get("conditions", ()):
            if c["type"] == kind:
                return c["status"], c["reason"]
        return None

    def names(self) -> list[str]:
        """Return the actions so far by name, without reads and status writes."""
        calm = (act.ApplyStatus, act.ReadFederated, act.ReadApplication)
        return [type(a).__name__ for _, a in self.log if not isinstance(a, calm)]

    def count(self, kind: type[act.Action]) -> int:
        return sum(isinstance(a, kind) for _, a in self.log)

    @property
    def pairs(self) -> set[tuple[str, str]]:
        """Issuers and subjects that Entra trusts."""
        return {c.pair for c in self.entra.values()}

    def annotations(self, name: str = "orders") -> Mapping[str, str]:
        found = self.accounts[name]
        assert isinstance(found, ServiceAccount)
        return found.annotations

    # --- decide and act --------------------------------------------------------------------

    def decide(self) -> Decision:
        return decide(self.observe())

    def observe(self) -> Observation:
        spec = self.resource.spec
        federated = spec.federated if isinstance(spec, AppCredentialSpec) else None
        assert federated is not None
        return observation(
            now=self.now,
            settings=self.settings,
            resource=self.resource,
            tenant=self.tenant,
            grant=self.grant,
            target=None,
            revocation_uid=self.revocation_uid,
            crd_deleted=False,
            application=self.application,
            memory=self.memory,
            federation=Federation(
                issuer=self.issuer,
                listed=self.seen,
                service_account=self.accounts.get(federated.annotated_account),
                output=self.outputs.get(federated.config_map),
                leaving=self.leaving,
                neighbours=self.neighbours,
            ),
        )

    def perform(self, decision: Decision) -> None:
        action = decision.action
        self.log.append((self.now, action))
        match action:
            case act.ApplyStatus():
                self.resource = replace(self.resource, status=decision.status)
            case act.AddFinalizer():
                self.resource = replace(self.resource, has_finalizer=True)
            case act.ReleaseFinalizer():
                self.released = True
            case act.ScheduleRevocation():
                self.revocation_uid = self.resource.uid
            case act.CancelRevocation():
                self.revocation_uid = None
            case act.ReadApplication():
                read = application(read_time=self.now)
                self.application = replace(read, sign_in_audience=self.sign_in_audience)
            case act.ReadFederated():
                self._read()
            case _:
                self._promise(
                    self.revocation_uid is None, "nothing is done while a deletion is open"
                )
                self._write(action)

    def _write(self, action: act.Action) -> None:
        if self.refuses:
            problem = Problem(reason=Reason.DIRECTORY_UNAVAILABLE, message="x", stalled=False)
            self.memory = replace(
                self.memory,
                directory_problem=problem,
                problem_operation="mint",
                retry_time=self.now + 10 * SECOND,
            )
            return
        self.memory = replace(self.memory, directory_problem=None, retry_time=None)
        match action:
            case act.CreateFederated():
                self._create(action)
            case act.PatchFederated():
                self._patch(action)
            case act.DeleteFederated():
                self._delete(action)
            case act.ProveFederated():
                self._prove(action)
            case act.AnnotateServiceAccount():
                self._annotate(action)
            case act.WriteOutput():
                self._output(action)
            case _:
                raise AssertionError(f"not an effect: {action}")

    def _read(self) -> None:
        found = tuple(c for c in self.entra.values() if c.id not in self.hidden)
        self.seen = FederatedList(object_id=OBJECT_ID, credentials=found, read_time=self.now)
        held = self.memory.federated
        times = {c.id: held.seen.get(c.id, self.now) for c in found}
        self._remember(replace(held, seen=times))
        self.memory = replace(self.memory, directory_problem=None, retry_time=None)

    def _remember(self, held: FederatedMemory) -> None:
        self.memory = replace(self.memory, federated=held)

    def _note(self, description: str, *, is_changed: bool) -> None:
        mark = marker_of(description)
        assert mark is not None
        held = self.memory.federated
        noted: dict[str, datetime] = {mark.attempt: self.now}
        held = replace(held, written={**held.written, **noted})
        self._remember(replace(held, changed={**held.changed, **noted}) if is_changed else held)
        self.seen = None

    def _create(self, action: act.CreateFederated) -> None:
        self._promise(not isinstance(self.grant, Problem), "nothing is created without a grant")
        self._promise(len(self.entra) < 20, "Entra keeps no more than 20")
        twins = [c for c in self.entra.values() if c.pair == action.trust.pair]
        if twins:
            # As the adapter does: Entra refuses it, and what is there is looked at.
            shown = {c.id for c in self.seen.credentials} if self.seen is not None else set()
            self._promise(twins[0].id not in shown, "a twin that was seen is not created")
            self._note(action.description, is_changed=True)
            return
        self._count += 1
        made = listed(f"new-{self._count}", trust=action.trust, name=action.name)
        self.put(replace(made, description=action.description))
        self._written[made.id] = self.now
        self._note(action.description, is_changed=True)

    def _is_ours_or_left(self, c: FederatedCredential) -> bool:
        mark = marker_of(c.description)
        if mark is None:
            return False
        is_past = retire_time_of(c.description) is not None and mark.owner in self.neighbours
        is_left = is_past or mark.owner in self.leaving
        is_left = is_left and mark.attempt.startswith(IDENTITY.system)
        return is_left or mark.is_removable_by(IDENTITY, OWNER)

    def is_ours(self, c: FederatedCredential) -> bool:
        """Tell whether this resource made it."""
        mark = marker_of(c.description)
        return mark is not None and mark.is_removable_by(IDENTITY, OWNER)

    def _patch(self, action: act.PatchFederated) -> None:
        c = self.entra[action.id]
        self._promise(self._is_ours_or_left(c), "what is not ours is never changed")
        is_changed = action.trust.pair != c.pair or (action.trust.audience,) != c.audiences
        if is_changed:
            self._promise(not isinstance(self.grant, Problem), "nothing is trusted without a grant")
            self._written[c.id] = self.now
        self.entra[c.id] = replace(
            c,
            issuer=action.trust.issuer,
            subject=action.trust.subject,
            audiences=(action.trust.audience,),
            description=action.description,
        )
        self._note(action.description, is_changed=is_changed)

    def _delete(self, action: act.DeleteFederated) -> None:
        c = self.entra[action.id]
        mark = marker_of(c.description)
        ours = mark is not None and mark.is_removable_by(IDENTITY, OWNER)
        self._promise(ours, "what is not ours is never removed")
        self._promise(self._is_replaced(), "nothing goes before what replaces it is usable")
        del self.entra[action.id]
        held = self.memory.federated
        self._remember(replace(held, removed={**held.removed, action.id: self.now}))
        self.seen = None

    def _is_replaced(self) -> bool:
        """Tell whether all that the spec asks for is in Entra, and was for the quiet time."""
        spec = self.resource.spec
        assert isinstance(spec, AppCredentialSpec)
        assert spec.federated is not None
        assert isinstance(self.tenant, Tenant)
        usable = {(c.pair, c.audiences) for c in self.entra.values() if self._is_quiet(c.id)}

        def is_usable(issuer: str) -> bool:
            wanted = trusts(
                federated,
                OWNER.namespace,
                issuer,
                cloud=cloud.cloud,
                authority_host=cloud.authority_host,
                tenant_id=cloud.tenant_id,
            )
            return all((t.pair, (t.audience,)) in usable for t in wanted)

        # Until all reads agreed for a while the issuer of before is as good.
        federated, cloud = spec.federated, self.tenant
        known = [self.issuer.url] if isinstance(self.issuer, Issuer) else []
        return any(map(is_usable, (*known, ISSUER, NEXT_ISSUER)))

    def _is_quiet(self, id_: str) -> bool:
        written = self._written.get(id_)
        return written is None or self.now - written >= self.settings.federated_quiet

    def _prove(self, action: act.ProveFederated) -> None:
        self._promise(self._is_replaced(), "nothing is tried before the quiet time is over")
        attempt = trust_attempt(IDENTITY, action.trust.pair)
        times = [t for t, a in self.log[:-1] if isinstance(a, act.ProveFederated)]
        if times:
            since = self.now - times[-1]
            self._promise(since >= self.settings.federated_proof_spacing, "tries are far apart")
        proof = record(self.memory.pending_proof, attempt, self.answer(), self.now)
        self.memory = replace(self.memory, pending_proof=proof)

    def _annotate(self, action: act.AnnotateServiceAccount) -> None:
        spec = self.resource.spec
        assert isinstance(spec, AppCredentialSpec)
        assert spec.federated is not None
        found = self.accounts[spec.federated.annotated_account]
        assert isinstance(found, ServiceAccount)
        held = dict(found.annotations)
        self._promise(not isinstance(self.grant, Problem), "nothing is told without a grant")
        self._promise(self._is_replaced(), "nothing is told before it is usable")
        for key in (CLIENT_ID_ANNOTATION, TENANT_ID_ANNOTATION):
            if key in action.annotations and held.get(key, "") not in {"", action.annotations[key]}:
                mine = held.get(WIRED_BY_ANNOTATION, "").startswith(f"{OWNER.name}/")
                self._promise(mine, "a value of somebody else is never overwritten")
        self.accounts[found.name] = replace(found, annotations={**held, **action.annotations})

    def _output(self, action: act.WriteOutput) -> None:
        spec = self.resource.spec
        assert isinstance(spec, AppCredentialSpec)
        assert spec.federated is not None
        name = spec.federated.config_map
        live = self.outputs.get(name)
        if isinstance(live, OutputMap):
            former = Owner(*live.owner.split("/"))
            is_ours = former == OWNER or former.hash in self.leaving
            self._promise(is_ours, "a ConfigMap of somebody else is never written")
        self.outputs[name] = output_map(name, data=action.data)

    def _promise(self, kept: bool, what: str) -> None:
        if not kept:
            raise BrokenPromiseError(what)
