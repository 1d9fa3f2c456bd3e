"""The reconciler and the tenants on an API server and an Entra in memory, in time moved by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, NoReturn

from appcredential.cache.grants import Grants, Site
from appcredential.cache.informer import Informer
from appcredential.cache.issued_records import KnownRecords
from appcredential.cache.open_revocations import OpenRevocations
from appcredential.cache.store import Store
from appcredential.controllers.app_credential import AppCredentialController
from appcredential.controllers.doubts import Doubts
from appcredential.controllers.entra_tenant import EntraTenantController, TenantSettings
from appcredential.controllers.inventory import Inventory
from appcredential.controllers.looks import ClusterLooks
from appcredential.controllers.ownership import OwnershipLooks
from appcredential.controllers.published_sign_ins import PublishedSignIns
from appcredential.controllers.resumption import Resumption
from appcredential.domain.inventory import Budget
from appcredential.domain.lifecycle_settings import LifecycleSettings
from appcredential.domain.looks import LookBudget
from appcredential.domain.marker import Owner
from appcredential.domain.observed.federated import IssuerDocument
from appcredential.domain.operator_credential import OperatorCredential
from appcredential.domain.published_sign_ins import SignInBudget
from appcredential.domain.shards import WHOLE, Shard
from appcredential.domain.spec.model import (
    EntraTenantSpec,
)
from appcredential.domain.spec.reserved import ONLY_LISTED, AllowedKeys
from appcredential.domain.urgency import Urgency
from appcredential.effects.context import KubePorts, Tools
from appcredential.effects.issued_records import RecordWrites
from appcredential.entra.projected_token import ProjectedToken
from appcredential.gather.certificate_source import CertificateInputsReader
from appcredential.gather.gatherer import Gatherer
from appcredential.gather.leader_notes import TermsNotes
from appcredential.gather.pods import PodLooks
from appcredential.gather.sources import ClusterSources, LocalSources
from appcredential.gather.state import ResourceStates
from appcredential.gather.workloads import WorkloadLooks
from appcredential.kube.app_credentials import KubeResources
from appcredential.kube.certificate_sources import KubeInputs
from appcredential.kube.custom_resources import (
    APP_CREDENTIALS,
    GRANTS,
    TENANTS,
    KubeObjects,
    path_of,
)
from appcredential.kube.events import KubeEvents
from appcredential.kube.issued_records import KubeIssuedRecords
from appcredential.kube.namespaces import KubeNamespaces
from appcredential.kube.outputs import KubeOutputs
from appcredential.kube.own_secret import KubeOwnSecrets
from appcredential.kube.pods import KubePods
from appcredential.kube.revocations import KubeRevocations
from appcredential.kube.secret_store import KubeSecrets, secrets_path
from appcredential.kube.service_accounts import KubeServiceAccounts
from appcredential.kube.versions import KubeVersions
from appcredential.kube.workloads import KubeWorkloads
from appcredential.ports.kube import IssuerSource
from appcredential.runtime.metrics import Metrics
from appcredential.runtime.ready import Key
from appcredential.runtime.this_process import ThisProcess
from appcredential.runtime.workqueue import Again, WorkQueue
from appcredential.settings import Settings
from appcredential.tenants.access import TenantAccess
from appcredential.tenants.operator_credential import OperatorCredentials
from appcredential.tenants.own_identity import OwnIdentity
from appcredential.tenants.own_rotation import OwnRotation
from appcredential.tenants.own_secret_rotation import OwnSecretRotation
from appcredential.tenants.own_secret_steps import OwnSecretSteps
from appcredential.tenants.own_steps import OwnSteps
from appcredential.tenants.probing import Prober
from appcredential.tenants.sessions import TenantSessions
from appcredential.tenants.waking import TenantQueue
from appcredential.x509.reading import CertificateReader
from tests.support.api_server import ApiServer
from tests.support.builders import (
    CLIENT_ID,
    HOLDER,
    IDENTITY,
    OPERATOR_CLIENT_ID,
    OWNER,
    TENANT_ID,
)
from tests.support.clock import HandClock
from tests.support.guard import open_guard
from tests.support.session import MemorySession

TENANT: Final = Key(TENANTS, "", "default")
SYSTEM: Final = "appcredential-system"
RESOURCE: Final = path_of(APP_CREDENTIALS, OWNER.namespace, OWNER.name)
TARGET: Final = secrets_path(OWNER.namespace, "orders-entra")
SECRETS: Final = secrets_path(OWNER.namespace)
_NO_TOKEN: Final = ProjectedToken("/nowhere/token", "")
_TENANT_PATH: Final = path_of(TENANTS, "", "default")


class NoIssuer:
    """An IssuerSource of a world without federated credentials: nobody asks."""

    async def current(self) -> NoReturn:
        raise AssertionError("nobody in this world asks for the issuer")


class NoDocuments:
    """An IssuerDocumentSource whose settings list no issuer."""

    def known(self) -> Mapping[str, IssuerDocument]:
        return {}


async def _nothing() -> None:
    return


class World:
    """One tenant, one grant and one AppCredential, and all that works on them."""

    def __init__(
        self,
        token: ProjectedToken = _NO_TOKEN,
        *,
        trial: bool = False,
        issuer: IssuerSource | None = None,
        keys: AllowedKeys = ONLY_LISTED,
        api: ApiServer | None = None,
        clock: HandClock | None = None,
        shard: Shard = WHOLE,
    ) -> None:
        self.clock = clock if clock is not None else HandClock()
        self.api = api if api is not None else ApiServer()
        self.token = token
        self.entra = MemorySession(self.clock)
        """What the next session is opened with."""
        self.sessions: list[MemorySession] = []
        self.opened: list[OperatorCredential] = []
        self.again: Again | None = None
        """What the last look at the resource returned."""
        self.woken: list[Key] = []
        self.urgencies: list[Urgency | None] = []
        self.needless: list[Callable[[], bool]] = []
        """Of each wake for a new version: what the queue asks after the work under way."""
        self.store = Store(shard)
        objects = KubeObjects(self.api)
        self.secrets = secrets = KubeSecrets(self.api, IDENTITY)
        events = KubeEvents(self.api, self.clock, "operator")
        self.sync = Informer(objects, self.store, (), self._wake, self._wake)
        site = Site(cluster_id=IDENTITY.cluster_id, namespace=SYSTEM)
        self.namespaces = KubeNamespaces(self.api)
        self.grants = Grants(objects, self.store, self.clock, self.namespaces, site)
        self.gate = gate = open_guard(shard)
        self.process = process = ThisProcess(
            clock=self.clock,
            settings=LifecycleSettings(trial=trial),
            identity=IDENTITY,
            holder=HOLDER,
            started=self.clock.now(),
            guard=gate,
        )
        revocations = KubeRevocations(self.api, SYSTEM)
        self.open_revocations = open_revocations = OpenRevocations(revocations, shard)
        issued = KubeIssuedRecords(self.api, SYSTEM)
        known = KnownRecords(issued, self.store.owns, (), IDENTITY.whole, shard)
        self.records = records = RecordWrites(issued, known, self.clock)
        queue = TenantQueue(
            self.store.users_of,
            open_revocations.needing,
            self.woken.append,
            self._is_resumed,
            open_revocations.refresh if shard.count > 1 else _nothing,
        )
        retry = timedelta(seconds=30)
        self.tenants = TenantAccess(
            clock=self.clock,
            sessions=TenantSessions(
                open_session=self._open,
                prober=Prober(clock=self.clock, queue=queue, retry=retry),
                may_act=lambda: gate.problem() is None,
            ),
            queue=queue,
        )
        self.tenant_controller = EntraTenantController(
            clock=self.clock,
            settings=TenantSettings(retry=retry, trial=trial),
            objects=objects,
            identity=OwnIdentity(
                OperatorCredentials(
                    clock=self.clock, namespace=SYSTEM, secrets=secrets, token=self.token
                ),
                *self._own_rotations(events),
            ),
            tenants=self.tenants,
            events=events,
            guard=gate,
            queue=queue,
        )
        resources = KubeResources(objects, self.clock, keys)
        accounts, outputs = KubeServiceAccounts(self.api), KubeOutputs(self.api)
        self.ownership = OwnershipLooks(
            clock=self.clock,
            store=self.store,
            access=self.tenants.access,
            held=self.tenants.held,
            guard=gate,
            wake=self.woken.append,
        )
        gatherer = Gatherer(
            process,
            ClusterSources(
                resources=resources,
                secrets=secrets,
                service_accounts=accounts,
                outputs=outputs,
                issuer=issuer if issuer is not None else NoIssuer(),
                certificate_inputs=CertificateInputsReader(
                    KubeInputs(self.api), CertificateReader()
                ),
                skew=self.api.skew,
            ),
            LocalSources(
                grants=self.grants,
                access=self.tenants.access,
                open_revocations=open_revocations,
                records=known,
                owners=self.store.owners,
                standing=self.store.standing,
                documents=NoDocuments(),
                ownership=self.ownership.ownership,
            ),
        )
        self.states = ResourceStates()
        self.metrics = Metrics(self.store.samples)
        self.metrics.looks.resumed.set_function(self.states.count_resumed)
        self.leads = True
        """Whether the metrics show what only a leader knows."""
        self.metrics.show_leader(TermsNotes(self.states, process.terms, lambda: self.leads))
        self.tools = tools = Tools(
            process=process,
            kube=KubePorts(
                resources=resources,
                secrets=secrets,
                service_accounts=accounts,
                outputs=outputs,
                pods=PodLooks(KubePods(self.api), self.clock, self._wake_looker),
                workloads=WorkloadLooks(KubeWorkloads(self.api), self.clock, self._wake_looker),
                revocations=revocations,
                events=events,
            ),
            grants=self.grants,
            open_revocations=open_revocations,
            records=records,
            access=self.tenants.access,
            request_probe=self.tenants.request_probe,
            note_written=self.ownership.note_written,
            permission_retry=timedelta(minutes=10),
        )
        self.reconciler = AppCredentialController(
            gatherer=gatherer,
            tools=tools,
            metrics=self.metrics,
            states=self.states,
        )
        self.looks = ClusterLooks(
            process=process,
            states=self.states,
            versions=KubeVersions(self.api),
            budget=LookBudget(per_second=20, ceiling=timedelta(minutes=10)),
            metrics=self.metrics,
            wake=self.woken.append,
            look_whole=self.woken.append,
        )
        self.inventory = Inventory(
            clock=self.clock,
            store=self.store,
            access=self.tenants.access,
            doubts=Doubts(
                self.clock,
                self.store,
                self.states,
                self.woken.append,
                self.metrics.inventory.doubts.inc,
                settle=process.settings.settle,
            ),
            guard=gate,
            budget=Budget(
                per_second=Settings().inventory_rate, ceiling=Settings().inventory_ceiling
            ),
            metrics=self.metrics,
        )
        self.scheduled = WorkQueue(self.clock)
        self.resumption = Resumption(
            clock=self.clock,
            namespaces=(),
            resources=resources,
            store=self.store,
            askers=self.grants,
            open_revocations=open_revocations,
            records=known,
            states=self.states,
            queue=self.scheduled,
        )
        self.sign_ins = PublishedSignIns(
            tools=tools,
            store=self.store,
            states=self.states,
            budget=SignInBudget(
                per_second=Settings().lifecycle.published_sign_in_rate,
                interval=Settings().published_sign_in_interval,
            ),
            metrics=self.metrics.sign_ins,
            wake=self.woken.append,
        )
        self._fill()

    def _own_rotations(self, events: KubeEvents) -> tuple[OwnRotation, OwnSecretRotation]:
        secrets, cluster = KubeOwnSecrets(self.api, SYSTEM), IDENTITY.whole
        steps = OwnSteps(clock=self.clock, secrets=secrets, events=events, cluster=cluster)
        return OwnRotation(
            process=self.process,
            secrets=secrets,
            steps=steps,
            tenants=lambda: KubeObjects(self.api).pages(TENANTS),
        ), OwnSecretRotation(
            process=self.process,
            secrets=secrets,
            steps=OwnSecretSteps(clock=self.clock, secrets=secrets, events=events),
            tenants=lambda: KubeObjects(self.api).pages(TENANTS),
        )

    def _wake(
        self,
        key: Key,
        urgency: Urgency | None = None,
        /,
        *,
        unless: Callable[[], bool] | None = None,
    ) -> None:
        self.woken.append(key)
        self.urgencies.append(urgency)
        if unless is not None:
            self.needless.append(unless)

    def _is_resumed(self, key: Key) -> bool:
        state = self.states.known(Owner(key.namespace, key.name))
        return state is not None and state.resumed is not None

    def _fill(self) -> None:
        self.put_identity("b3BlcmF0b3ItdmFsdWU=")
        reference = {"clientId": OPERATOR_CLIENT_ID, "secretRef": {"name": "identity"}}
        self.put_tenant(clientSecret=reference)
        self.put_grant("shop-apps")
        self.put_resource(OWNER)

    def put_tenant(self, cloud: str = "Public", **identity: Any) -> None:
        """Write the EntraTenant; its status stays."""
        spec = {"tenantId": TENANT_ID, "cloud": cloud, "identity": identity}
        found = self.api.objects.get(_TENANT_PATH, {})
        metadata = {"finalizers": ["appcredential.io/credential"]}
        self.api.put(_TENANT_PATH, {"metadata": metadata, **found, "spec": spec})

    def put_identity(self, value: str) -> None:
        """Write the operator's own credential, in base64."""
        self.put_identity_data({"clientSecret": value})

    def put_identity_data(self, data: dict[str, str] | None) -> None:
        """Write the Secret of the operator's own credential, or take it away."""
        path = secrets_path(SYSTEM, "identity")
        if data is None:
            del self.api.objects[path]
        else:
            self.api.put(path, {"data": data})

    def set_cloud(self, cloud: str) -> None:
        """Change the tenant's cloud."""
        found = self.api.objects[_TENANT_PATH]
        self.api.put(_TENANT_PATH, {**found, "spec": {**found["spec"], "cloud": cloud}})

    def put_grant(
        self,
        name: str,
        namespaces: tuple[str, ...] = (OWNER.namespace,),
        client_ids: tuple[str, ...] = (CLIENT_ID,),
        labels: Mapping[str, str] | None = None,
        **members: Any,
    ) -> None:
        """Write an ApplicationGrant, and show it to the store; with labels it selects by them."""
        spec = {
            "applications": {"clientIds": list(client_ids)},
            "namespaces": {"names": list(namespaces)}
            if labels is None
            else {"selector": {"matchLabels": dict(labels)}},
            **members,
        }
        found = self.api.put(path_of(GRANTS, "", name), {"spec": spec})
        self.sync.on_event(GRANTS, "MODIFIED", found)

    def put_resource(self, owner: Owner, client_id: str = CLIENT_ID, **spec: Any) -> None:
        """Write an AppCredential and show it to the store."""
        wanted = {
            "application": {"clientId": client_id},
            "type": "ClientSecret",
            "clientSecret": {},
            "secret": {"name": "orders-entra"},
            **spec,
        }
        path = path_of(APP_CREDENTIALS, owner.namespace, owner.name)
        old = self.api.objects.get(path, {})
        generation = old.get("metadata", {}).get("generation", 0) + 1
        metadata = {**old.get("metadata", {}), "generation": generation}
        found = self.api.put(path, {**old, "metadata": metadata, "spec": wanted})
        self.sync.on_event(APP_CREDENTIALS, "MODIFIED", found)

    def _open(
        self, spec: EntraTenantSpec, own: OperatorCredential, _may_act: Callable[[], bool]
    ) -> MemorySession:
        self.sessions.append(self.entra)
        self.opened.append(own)
        self.entra.client_id = spec.identity.client_id
        return self.entra

    # --- doing ----------------------------------------------------------------------------

    def _wake_looker(self, owner: Owner) -> None:
        self.woken.append(Key(APP_CREDENTIALS, owner.namespace, owner.name))

    async def look_at_tenant(self) -> timedelta | None:
        """Reconcile the tenant; return for how long it is left alone then."""
        return self._wait(await self.tenant_controller.reconcile(TENANT))

    async def look(self) -> timedelta | None:
        """Reconcile the resource; return for how long it is left alone then."""
        again = await self.reconciler.reconcile(OWNER, "")
        self.again = again
        return self._wait(again.when if again is not None else None)

    async def look_around(self, length: timedelta) -> list[Key]:
        """Let time pass in which only the light looks go on; return whom they had reconciled."""
        self.taken(APP_CREDENTIALS)
        end = self.clock.now() + length
        while self.clock.now() < end:
            await self.looks.run_once()
            self.clock.advance(timedelta(seconds=0.5))
        return self.taken(APP_CREDENTIALS)

    async def until(self, condition: Callable[[], object], passes: int = 60) -> None:
        """Reconcile the resource whenever it is due until the condition holds."""
        for _ in range(passes):
            if condition():
                return
            self.clock.advance(await self.look() or timedelta(0))
        raise AssertionError("it never came about")

    async def publish(self) -> None:
        """Bring the resource to Ready, with its retired pending Secret gone."""
        await self.look_at_tenant()
        await self.until(lambda: self.ready["status"] == "True")
        await self.until(lambda: len(self._secrets_here()) == 1)

    def _secrets_here(self) -> list[str]:
        return [path for path in self.api.objects if path.startswith(f"{SECRETS}/")]

    def _wait(self, again: datetime | None) -> timedelta | None:
        return None if again is None else again - self.clock.now()

    # --- seeing ---------------------------------------------------------------------------

    @property
    def status(self) -> dict[str, Any]:
        """The resource's status."""
        found: dict[str, Any] = self.api.objects.get(RESOURCE, {}).get("status") or {}
        return found

    @property
    def conditions(self) -> dict[str, dict[str, Any]]:
        """The resource's conditions by type."""
        return {c["type"]: c for c in self.status.get("conditions", ())}

    @property
    def ready(self) -> dict[str, Any]:
        """The resource's Ready condition."""
        return self.conditions.get("Ready", {"status": "", "reason": ""})

    @property
    def tenant_status(self) -> dict[str, Any]:
        """The EntraTenant's status."""
        found: dict[str, Any] = self.api.objects[_TENANT_PATH].get("status") or {}
        return found

    @property
    def tenant_conditions(self) -> dict[str, dict[str, Any]]:
        """The EntraTenant's conditions by type."""
        return {c["type"]: c for c in self.tenant_status.get("conditions", ())}

    @property
    def events(self) -> list[dict[str, Any]]:
        """The Events so far."""
        return [o for p, o in self.api.objects.items() if "/events.k8s.io/" in p]

    def taken(self, kind: str) -> list[Key]:
        """Return which keys of a kind were woken since the last time."""
        found = [key for key in self.woken if key.kind == kind]
        self.woken[:] = [key for key in self.woken if key.kind != kind]
        return found
