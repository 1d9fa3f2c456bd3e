"""One FederatedIdentity in memory: what it trusts in Entra, ServiceAccounts and outputs.

See `loop.py` for who decides and how promises are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from appcredential.domain import actions as act
from appcredential.domain.conditions import Problem
from appcredential.domain.facts.annotations import (
    CLIENT_ID_ANNOTATION,
    TENANT_ID_ANNOTATION,
    WIRED_BY_ANNOTATION,
)
from appcredential.domain.marker import Owner
from appcredential.domain.observed.entra import Application, Tenant
from appcredential.domain.observed.federated import (
    FederatedCredential,
    FederatedList,
    Federation,
    Issuer,
    IssuerDocument,
    OutputMap,
    ServiceAccount,
)
from appcredential.domain.observed.operation import Operation
from appcredential.domain.proof import PROVEN, SignInResult, record
from appcredential.domain.spec.federated import FederatedSpec
from appcredential.domain.spec.model import AppCredentialSpec
from appcredential.domain.spec.trusts import (
    Trust,
    marker_of,
    retire_time_of,
    trust_attempt,
    trusts,
)
from appcredential.domain.status.problems_entra import federated_refusal
from tests.domain.worlds.loop import Loop, promise
from tests.support.builders import (
    IDENTITY,
    MINUTE,
    NOW,
    OBJECT_ID,
    OWNER,
    application,
)
from tests.support.federated import (
    ISSUER,
    NEXT_ISSUER,
    account,
    federated_spec,
    listed,
    output_map,
)

_GRAPH_WRITES: Final[Mapping[type[act.Action], Operation]] = {
    act.CreateFederated: Operation.MINT,
    act.PatchFederated: Operation.MINT,
    act.DeleteFederated: Operation.REMOVE,
}


@dataclass
class FederatedWorld(Loop):
    """One FederatedIdentity, an Entra application, ServiceAccounts and outputs."""

    spec: AppCredentialSpec = field(default_factory=federated_spec)
    issuer: Issuer | Problem = field(default_factory=lambda: Issuer(url=ISSUER, since=NOW))
    accounts: dict[str, ServiceAccount | Problem] = field(
        default_factory=lambda: {"orders": account()}
    )
    outputs: dict[str, OutputMap | Problem] = field(default_factory=dict)
    leaving: frozenset[str] = frozenset()
    neighbours: frozenset[str] = frozenset()
    hidden: set[str] = field(default_factory=set)
    """Ids that a stale replica does not list."""
    documents: dict[str, IssuerDocument] = field(default_factory=dict)
    sign_in_audience: str = "AzureADMyOrg"
    refuses: bool = False
    """Graph fails every write."""
    not_taken: set[str] = field(default_factory=set)
    """Subjects that Graph refuses to trust."""
    answer: Callable[[], SignInResult] = lambda: PROVEN
    """What an exchange comes to."""

    entra: dict[str, FederatedCredential] = field(default_factory=dict)
    seen: FederatedList | None = None
    application: Application | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self._count = 0
        self._written: dict[str, datetime] = {}

    # --- what tests do ---------------------------------------------------------------------

    def forget(self) -> None:
        self.seen, self.application = None, None

    def put(self, *credentials: FederatedCredential) -> None:
        """Have credentials in Entra that were there for long."""
        self.entra |= {c.id: c for c in credentials}

    def names(self) -> list[str]:
        """Return the actions so far by name, without reads and status writes."""
        reads = {act.ReadFederated.__name__, act.ReadApplication.__name__}
        return [name for name in super().names() if name not in reads]

    @property
    def pairs(self) -> set[tuple[str, str]]:
        """Issuers and subjects that Entra trusts."""
        return {c.pair for c in self.entra.values()}

    def annotations(self, name: str = "orders") -> Mapping[str, str]:
        found = self.accounts[name]
        assert isinstance(found, ServiceAccount)
        return found.annotations

    @property
    def _federated(self) -> FederatedSpec:
        assert self.current_spec.federated is not None
        return self.current_spec.federated

    # --- act -------------------------------------------------------------------------------

    def see(self) -> Mapping[str, Any]:
        federated = self._federated
        return {
            "target": None,
            "crd_deleted": False,
            "application": self.application,
            "federation": Federation(
                issuer=self.issuer,
                listed=self.seen,
                service_account=self.accounts.get(federated.annotated_account),
                output=self.outputs.get(federated.config_map),
                leaving=self.leaving,
                neighbours=self.neighbours,
                documents=self.documents,
            ),
        }

    def apply(self, action: act.Action) -> None:
        match action:
            case act.ReadApplication():
                self._read_application()
            case act.ReadFederated():
                self._read()
            case _:
                promise(self.revocation_uid is None, "nothing is done while a deletion is open")
                self._write(action)

    def _write(self, action: act.Action) -> None:
        if self.refuses and type(action) in _GRAPH_WRITES:
            self.fail(_GRAPH_WRITES[type(action)])
            return
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

    def _read_application(self) -> None:
        read = replace(application(read_time=self.now), sign_in_audience=self.sign_in_audience)
        self.memory = self.memory.saw_application(read, self.application, target=None, pending=None)
        self.application = read

    def _read(self) -> None:
        found = tuple(c for c in self.entra.values() if c.id not in self.hidden)
        self.seen = FederatedList(object_id=OBJECT_ID, credentials=found, read_time=self.now)
        self.memory = self.memory.saw_federated(self.seen, self.now)

    def _note(self, description: str, *, is_changed: bool) -> None:
        mark = marker_of(description)
        assert mark is not None
        self.memory = self.memory.wrote_federated(mark.attempt, self.now, is_changed=is_changed)
        self.seen = None

    def _create(self, action: act.CreateFederated) -> None:
        promise(not isinstance(self.grant, Problem), "nothing is created without a grant")
        promise(len(self.entra) < 20, "Entra keeps no more than 20")
        promise(self._is_room_for_all(), "all are counted before the first is created")
        if self._is_refused(action):
            self._read()  # to find out why
            return
        twins = [c for c in self.entra.values() if c.pair == action.trust.pair]
        if twins:
            # As the adapter does: Entra refuses it, and what is there is looked at.
            shown = {c.id for c in self.seen.credentials} if self.seen is not None else set()
            promise(twins[0].id not in shown, "a twin that was seen is not created")
            self._note(action.description, is_changed=True)
            return
        self._count += 1
        made = listed(f"new-{self._count}", trust=action.trust, name=action.name)
        self.put(replace(made, description=action.description))
        self._written[made.id] = self.now
        self._note(action.description, is_changed=True)

    def _is_room_for_all(self) -> bool:
        """Return whether all that is wanted fits, as far as reads show it."""
        wanted = {t.pair for t in self._wanted(ISSUER)}
        is_known = not self.hidden and isinstance(self.issuer, Issuer) and self.issuer.url == ISSUER
        return not is_known or len(self.entra) + len(wanted - self.pairs) <= 20

    def _is_refused(self, action: act.CreateFederated | act.PatchFederated) -> bool:
        """Have Graph refuse what is in `not_taken`, and note it as the effect does."""
        if action.trust.subject not in self.not_taken:
            return False
        mark = marker_of(action.description)
        assert mark is not None
        federated = self.memory.federated.did_not_take(
            mark.attempt, federated_refusal("BadRequest"), self.now, 10 * MINUTE
        )
        self.memory = replace(self.memory, federated=federated)
        return True

    def _is_ours_or_left(self, c: FederatedCredential) -> bool:
        mark = marker_of(c.description)
        if mark is None:
            return False
        is_past = retire_time_of(c.description) is not None and mark.owner in self.neighbours
        is_left = is_past or mark.owner in self.leaving
        is_left = is_left and mark.attempt.startswith(IDENTITY.system)
        return is_left or mark.is_removable_by(IDENTITY, OWNER)

    def is_ours(self, c: FederatedCredential) -> bool:
        """Return whether this resource made it."""
        mark = marker_of(c.description)
        return mark is not None and mark.is_removable_by(IDENTITY, OWNER)

    def _patch(self, action: act.PatchFederated) -> None:
        c = self.entra[action.id]
        promise(self._is_ours_or_left(c), "what is not ours is never changed")
        if self._is_refused(action):
            return
        is_changed = action.trust.pair != c.pair or (action.trust.audience,) != c.audiences
        if is_changed:
            promise(not isinstance(self.grant, Problem), "nothing is trusted without a grant")
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
        promise(self.is_ours(c), "what is not ours is never removed")
        promise(self._is_replaced(), "nothing goes before what replaces it is usable")
        del self.entra[action.id]
        self.memory = self.memory.removed_federated(action.id, self.now)
        self.seen = None

    def _is_replaced(self) -> bool:
        """Return whether Entra has had every wanted trust for at least the quiet time."""
        usable = {(c.pair, c.audiences) for c in self.entra.values() if self._is_quiet(c.id)}

        def is_usable(issuer: str) -> bool:
            return all((t.pair, (t.audience,)) in usable for t in self._wanted(issuer))

        # Until all reads agreed for a while the issuer of before is as good.
        known = [self.issuer.url] if isinstance(self.issuer, Issuer) else []
        return any(map(is_usable, (*known, ISSUER, NEXT_ISSUER)))

    def _wanted(self, issuer: str) -> tuple[Trust, ...]:
        assert isinstance(self.tenant, Tenant)
        return trusts(
            self._federated,
            OWNER.namespace,
            issuer,
            cloud=self.tenant.cloud,
            authority_host=self.tenant.authority_host,
            tenant_id=self.tenant.tenant_id,
        )

    def _is_quiet(self, id_: str) -> bool:
        written = self._written.get(id_)
        return written is None or self.now - written >= self.settings.federated_quiet

    def _prove(self, action: act.ProveFederated) -> None:
        promise(self._is_replaced(), "nothing is tried before the quiet time is over")
        self.memory = self.memory.succeeded(Operation.PROVE)
        attempt = trust_attempt(IDENTITY, action.trust.pair)
        times = [t for t, a in self.log[:-1] if isinstance(a, act.ProveFederated)]
        if times:
            since = self.now - times[-1]
            promise(since >= self.settings.federated_proof_spacing, "tries are far apart")
        proof = record(self.memory.pending_proof, attempt, self.answer(), self.now)
        self.memory = replace(self.memory, pending_proof=proof)

    def _annotate(self, action: act.AnnotateServiceAccount) -> None:
        found = self.accounts[self._federated.annotated_account]
        assert isinstance(found, ServiceAccount)
        held = dict(found.annotations)
        promise(not isinstance(self.grant, Problem), "nothing is told without a grant")
        promise(self._is_replaced(), "nothing is told before it is usable")
        for key in (CLIENT_ID_ANNOTATION, TENANT_ID_ANNOTATION):
            if key in action.annotations and held.get(key, "") not in {"", action.annotations[key]}:
                mine = held.get(WIRED_BY_ANNOTATION, "").startswith(f"{OWNER.name}/")
                promise(mine, "a value of somebody else is never overwritten")
        self.accounts[found.name] = replace(found, annotations={**held, **action.annotations})
        self.memory = self.memory.succeeded(Operation.ANNOTATE)

    def _output(self, action: act.WriteOutput) -> None:
        name = self._federated.config_map
        live = self.outputs.get(name)
        if isinstance(live, OutputMap):
            former = Owner(*live.owner.split("/"))
            is_ours = former == OWNER or former.hash in self.leaving
            promise(is_ours, "a ConfigMap of somebody else is never written")
        self.outputs[name] = output_map(name, data=action.data)
        self.memory = self.memory.succeeded(Operation.OUTPUT)
