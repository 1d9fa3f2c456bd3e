"""What the watches and our own LIST say exists: small parsed values, never whole objects."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from appcredential.cache.granted import GrantedUse, GrantedUses
from appcredential.cache.namespaces import KnownNamespaces
from appcredential.cache.standings import Age, Place, Standings
from appcredential.domain.conditions import Problem
from appcredential.domain.grant_match import covers, may_be_for
from appcredential.domain.marker import Owner
from appcredential.domain.observed.issued import KnownRecord
from appcredential.domain.observed.standing import ALONE, Standing
from appcredential.domain.published_sign_ins import SignsIn
from appcredential.domain.shards import WHOLE, Shard
from appcredential.domain.spec.grant import SelectedNamespaces
from appcredential.domain.spec.model import ApplicationGrantSpec
from appcredential.domain.urgency import IDLE, Stages, Urgency
from appcredential.kube.custom_resources import APP_CREDENTIALS, GRANTS, TENANTS
from appcredential.report.rows import Row
from appcredential.runtime.ready import Key, Lane
from appcredential.runtime.samples import Sample


@dataclass(frozen=True, slots=True)
class Known:
    """One object as last seen.

    Attributes:
        is_served: an AppCredential that status names the application of.
        is_waiting: one that may be served as soon as the bound of its grants allows it.
        asked: changes with what people ask for; not with status.
        check: changes with the annotations that ask for a complete look; 0 without any.
        stages: how urgent it is to work on it, by its status.
        is_leaving: it is being deleted.
        has_trust: it asks for a federated credential, which another one may take over.
        sign_in: of an AppCredential whose published credential signs in now and then.
        row: what the report shows of an AppCredential, if it is served.
        use: what an AppCredential uses a grant for.
    """

    uid: str
    version: str
    tenant: str
    client_id: str = ""
    type: str = ""
    secret: str = ""
    created: str = ""
    is_served: bool = False
    is_waiting: bool = False
    sample: Sample | None = None
    asked: int = 0
    check: int = 0
    stages: Stages = IDLE
    is_leaving: bool = False
    has_trust: bool = False
    sign_in: SignsIn | None = None
    row: Row | None = None
    use: GrantedUse | None = None


class Store:
    """The known objects of the three kinds, and the parsed grants; of all shards.

    Args:
        shard: the part that this process works on.

    Attributes:
        uses: what the AppCredentials use grants for.
        listed: when the last list of all three kinds began that was whole.
    """

    def __init__(self, shard: Shard = WHOLE) -> None:
        self.shard = shard
        self._known: dict[Key, Known] = {}
        self._by_secret: dict[tuple[str, str], set[Key]] = {}
        self._standings = Standings()
        self.uses = GrantedUses()
        self.grants: dict[str, ApplicationGrantSpec | Problem] = {}
        self.namespaces = KnownNamespaces()
        self.complete: set[str] = set()
        self.listed: datetime | None = None
        self._to_check: set[Key] = set()

    @property
    def is_complete(self) -> bool:
        """Tell whether each of the three kinds was listed once."""
        return self.complete >= {APP_CREDENTIALS, TENANTS, GRANTS}

    def put(self, key: Key, known: Known) -> bool:
        """Note an object; tell whether it changed."""
        old = self._known.get(key)
        self._leave(key, old)
        self._known[key] = known
        self.uses.enter(known.use)
        if known.secret:
            self._by_secret.setdefault((key.namespace, known.secret), set()).add(key)
        if known.is_served:
            self._standings.serve(_place(key, known), key.name)
        elif known.is_waiting:
            self._standings.wait(_place(key, known), Age(known.created, key.name))
        return old is None or (old.uid, old.version) != (known.uid, known.version)

    def drop(self, key: Key) -> None:
        """Note that an object is gone."""
        self._leave(key, self._known.pop(key, None))
        self._to_check.discard(key)
        if key.kind == GRANTS:
            self.grants.pop(key.name, None)

    def _leave(self, key: Key, known: Known | None) -> None:
        """Forget which Secret an AppCredential wanted, and its standing."""
        if known is not None:
            self._standings.leave(_place(key, known), Age(known.created, key.name))
            self.uses.leave(known.use)
        place = (key.namespace, known.secret if known is not None else "")
        sharing = self._by_secret.get(place, set())
        sharing.discard(key)
        if not sharing:
            self._by_secret.pop(place, None)

    def standing(self, owner: Owner) -> Standing:
        """Return the place of an AppCredential among those of its namespace and application."""
        key = Key(APP_CREDENTIALS, owner.namespace, owner.name)
        known = self._known.get(key)
        if known is None:
            return ALONE  # gone, or not seen yet: then the next pass knows
        return self._standings.of(_place(key, known), Age(known.created, key.name))

    def ask_check(self, key: Key) -> None:
        """Note that somebody asks for a complete look at an object."""
        self._to_check.add(key)

    def take_check(self, key: Key) -> bool:
        """Tell whether somebody asked for a complete look since the last time."""
        is_asked = key in self._to_check
        self._to_check.discard(key)
        return is_asked

    def get(self, key: Key) -> Known | None:
        """Return an object as last seen."""
        return self._known.get(key)

    def lane(self, key: Key, now: float) -> Lane:
        """Return where a key stands in the work queue.

        Args:
            key: of any kind.
            now: the time, in seconds since the epoch.
        """
        known = self._known.get(key)
        if known is None:
            return Lane()  # gone: all that is left is to forget it
        if key.kind != APP_CREDENTIALS:
            return Lane(urgency=Urgency.SHARED)
        exists = Key(TENANTS, "", known.tenant) in self._known
        return Lane(known.tenant if exists else "", known.client_id, known.stages.at(now))

    def keys(self, kind: str) -> list[Key]:
        """Return the keys of one kind, of all shards."""
        return [key for key in self._known if key.kind == kind]

    def is_worked_on(self, key: Key) -> bool:
        """Return whether this process works on an object.

        Every process signs in to every tenant, for what is its own.
        """
        return key.kind == TENANTS or self.shard.serves(key.namespace)

    def own_keys(self, kind: str) -> list[Key]:
        """Return the keys of one kind that this process works on."""
        return list(filter(self.is_worked_on, self.keys(kind)))

    def owners(self, namespace: str) -> list[Owner]:
        """Return the AppCredentials of a namespace."""
        return [
            Owner(key.namespace, key.name)
            for key in self._known
            if key.kind == APP_CREDENTIALS and key.namespace == namespace
        ]

    def owns(self, record: KnownRecord) -> bool:
        """Return whether an AppCredential is there that a record of what was issued is about."""
        known = self._known.get(Key(APP_CREDENTIALS, record.owner.namespace, record.owner.name))
        return known is not None and (known.tenant, known.client_id, known.type) == (
            record.tenant,
            record.client_id,
            record.type,
        )

    def users_of(self, tenant: str) -> list[Key]:
        """Return the AppCredentials that name an EntraTenant."""
        return [
            key
            for key, known in self._known.items()
            if key.kind == APP_CREDENTIALS and known.tenant == tenant
        ]

    def neighbours(self, key: Key) -> list[Key]:
        """Return the other AppCredentials that want the same Secret."""
        known = self._known.get(key)
        place = (key.namespace, known.secret if known is not None else "")
        return [other for other in self._by_secret.get(place, ()) if other != key]

    def heirs_of(self, key: Key, lost: Known) -> list[Key]:
        """Return whoever may take what a resource leaves: its place in a bound, or its trust."""
        place = _place(key, lost)
        names = self._standings.names(place, waiting_only=not lost.has_trust) - {key.name}
        return [Key(key.kind, key.namespace, name) for name in sorted(names)]

    def wanting(self, namespace: str, secret: str) -> tuple[Key, ...]:
        """Return the AppCredentials that want a Secret."""
        return tuple(self._by_secret.get((namespace, secret), ()))

    def named_by(self, grant: ApplicationGrantSpec) -> list[Key]:
        """Return the AppCredentials whose namespace and application a grant is about.

        A selector is about namespaces whose labels are known; a list of them tells of the others.
        """
        return [
            key
            for key in self.users_of(grant.tenant)
            if covers(grant, key.namespace, self.namespaces.labels(key.namespace))
            and may_be_for(grant, self._known[key].client_id)
        ]

    def selects_namespaces(self) -> bool:
        """Return whether some grant selects namespaces by their labels."""
        return any(
            isinstance(g.namespaces, SelectedNamespaces) for g in self.valid_grants().values()
        )

    def valid_grants(self) -> dict[str, ApplicationGrantSpec]:
        """Return the grants whose spec is usable."""
        return {n: g for n, g in self.grants.items() if isinstance(g, ApplicationGrantSpec)}

    def rows(self) -> list[Row]:
        """Return what the report shows of each AppCredential, of all shards; for any thread."""
        return [known.row for known in list(self._known.values()) if known.row is not None]

    def samples(self) -> list[Sample]:
        """Return what a scrape shows of each AppCredential and EntraTenant; for any thread.

        Each is shown by one process.
        """
        # list() does not let another thread change the dict meanwhile; a loop over it would.
        return [
            known.sample
            for key, known in list(self._known.items())
            if known.sample is not None and self.shard.serves(key.namespace)
        ]


def _place(key: Key, known: Known) -> Place:
    return Place(key.namespace, known.tenant, known.client_id)
