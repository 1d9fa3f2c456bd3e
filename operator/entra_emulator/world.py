"""The whole state of one emulator, in one object that every handler gets."""

from __future__ import annotations

from entra_emulator.clock import EmulatorClock
from entra_emulator.directory.directory import Directory
from entra_emulator.directory.replication import Change, ChangeKind, Replicas
from entra_emulator.directory.services import Services
from entra_emulator.directory.sign_ins import SignIns
from entra_emulator.faults.documents import Faults
from entra_emulator.faults.engine import FaultEngine
from entra_emulator.faults.quotas import QuotaBook
from entra_emulator.issuers.matching import Misses
from entra_emulator.issuers.trusted import Issuers
from entra_emulator.jose.jwt import TokenSigner
from entra_emulator.policies.book import PolicyBook
from entra_emulator.request_log import RequestLog


class World:
    """The state of an emulator. Only the thread of the server's event loop may use it."""

    def __init__(self, signer: TokenSigner, clock: EmulatorClock | None = None) -> None:
        self.signer = signer
        self.clock = clock or EmulatorClock()
        self.directory = Directory()
        self.services = Services()
        self.policies = PolicyBook()
        self.replicas = Replicas()
        self.sign_ins = SignIns()
        self.faults = FaultEngine()
        self.quotas = QuotaBook()
        self.log = RequestLog()
        self.issuers = Issuers()
        self.misses = Misses()
        self.settings = Faults()

    def set_faults(self, faults: Faults) -> None:
        """Replace all faults; the same seed and the same requests give the same faults."""
        self.settings = faults
        self.replicas.configure(faults.effective_lag(), faults.seed)
        self.faults.configure(faults.rules, faults.seed, self.clock.now())
        self.quotas.configure(faults.quotas)

    def clear_faults(self) -> None:
        """Remove all faults; every replica then shows everything at once."""
        self.set_faults(Faults())
        self.replicas.settle()

    def change(self, kind: ChangeKind) -> Change:
        """Return a change made now, with the current lag."""
        return self.replicas.change(kind, self.clock.now())

    def settled_change(self) -> Change:
        """Return a change made now that every replica shows at once."""
        return self.replicas.settled_change(self.clock.now())
