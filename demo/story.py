"""The story: issue, prove, publish, sign in, rotate, retire, replace. Every step is checked."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping

from demo.counting import Counts, counts_between
from demo.exchanging import sign_in_as
from demo.observing import NAMESPACE, SECRET, Observing, StoryError, decoded
from demo.rolling import STEPS as ROLLOUT_STEPS
from demo.rolling import Rollout
from demo.seed import CLIENT_ID, FOREIGN
from demo.signing_in import SigningIn
from demo.stack import ROOT

EXAMPLE = ROOT / "examples" / "quickstart.yaml"
CERTIFICATE_EXAMPLE = ROOT / "examples" / "quickstart-certificate.yaml"
FEDERATION_EXAMPLE = ROOT / "examples" / "federation-serviceaccount.yaml"
CERTIFICATE, FEDERATION = "orders-certificate", "orders-workload"
KEY_ID = "appcredential.io/key-id"
STEPS = (
    "the resource is Ready",
    "the published secret signs in",
    "a successor was published",
    "old and new are both valid during the overlap",
    "the old one was retired",
    "what others made is untouched",
    "the request counts are within their bounds",
    "the operator notices that somebody removed the published secret",
    "the workload signs in again, with another secret",
    "the operator was killed between a successor and its publish",
    "the successor was published, and the workload noticed nothing",
    "the published certificate signs in",
    "both certificates are valid during the overlap",
    "the old certificate was retired, those of others are untouched",
    "a ServiceAccount signs in with its own token",
    "another ServiceAccount is refused by Entra",
)
MAX_WRITES, MAX_READS, MAX_EVENTS = 8, 5, 2


class Story(Observing):
    """Tells the story on a running stack."""

    def run(self) -> None:
        """Tell the whole story.

        Raises:
            StoryError: a step did not happen in time.
        """
        self._introduce()
        self._prepare()
        before = Counts.of(self._stack)
        self._issue()
        issued = self._settle()
        first = self._read_secret()
        self._sign_in(first)
        self._tell_counts("one issue", counts_between(before, issued))
        self._bound(counts_between(before, issued))
        second = self._rotate(first)
        self._retire(first, second)
        self._untouched()
        self._tell_counts("one rotation", counts_between(issued, Counts.of(self._stack)))
        self._replace_removed()
        with Rollout(self._stack, self._tell, self) as rollout:
            rollout.publish()
            self._trust()
            self._kill()
            self._certificate()
            self._exchange()
            rollout.restart()
        missing = [step for step in (*STEPS, *ROLLOUT_STEPS) if step not in self._seen]
        if missing:
            raise StoryError("these steps did not happen: " + "; ".join(missing))

    # --- chapters -------------------------------------------------------------------------

    def _introduce(self) -> None:
        self._tell.chapter("An application with two secrets that other people made")
        for entry in self._credentials():
            self._tell.say(f"{entry['keyId']}  {entry['displayName']}")
        self._tell.say(
            "Replicas show a change after 1-3 s, as Entra lags too; times are set short."
        )

    def _prepare(self) -> None:
        self._tell.chapter("The platform team creates a tenant, and a grant for the namespace")
        documents = EXAMPLE.read_text().split("\n---\n")
        self._stack.cluster.kubectl("apply", "-f", "-", input="\n---\n".join(documents[:-1]))
        wait = ("wait", "--for=condition=Ready", "--timeout=60s")
        self._stack.cluster.kubectl(*wait, "entratenant/default", "applicationgrant/shop")
        self._tell.say("EntraTenant default and ApplicationGrant shop are Ready")

    def _issue(self) -> None:
        self._tell.chapter(f"kubectl apply -f {EXAMPLE.relative_to(ROOT)}")
        self._stack.cluster.kubectl("apply", "-f", EXAMPLE)
        self.wait("Ready", lambda: self._condition("Ready") == "True", 90)
        self.tick(STEPS[0])

    def _read_secret(self, name: str = SECRET) -> dict[str, str]:
        found = self.values(name)
        self._tell.say(f"Secret {NAMESPACE}/{name}, keys only: {', '.join(found)}")
        return found

    def _sign_in(self, values: Mapping[str, str]) -> None:
        self._tell.chapter("azure-identity signs in with the Secret's values")
        if not self.signs_in(values):
            raise StoryError("the published secret does not sign in")
        self._tell.say("ClientSecretCredential(…).get_token(…) returned a token")
        self.tick(STEPS[1])

    def _rotate(self, first: Mapping[str, str]) -> dict[str, str]:
        self._tell.chapter("A lifetime of two minutes: the operator renews by itself")
        old = self.status()["credential"]["keyId"]
        self.wait("successor", lambda: self.status()["credential"]["keyId"] != old, 90)
        self.tick(STEPS[2])
        second = self._read_secret()
        if not (self.signs_in(first) and self.signs_in(second)):
            raise StoryError("old and new do not both sign in during the overlap")
        self._tell.say("both sign in: pods that still use the old secret keep working")
        self.tick(STEPS[3])
        return second

    def _retire(self, first: Mapping[str, str], second: Mapping[str, str]) -> None:
        self._tell.chapter("The overlap is over")
        self.wait("retirement", lambda: not self.signs_in(first), 60)
        if not self.signs_in(second):
            raise StoryError("the published secret no longer signs in")
        self._tell.say("the old secret is refused, the published one signs in")
        self.tick(STEPS[4])

    def _untouched(self) -> None:
        names = [entry["displayName"] for entry in self._credentials()]
        if not all(name in names for name in FOREIGN):
            raise StoryError("a foreign credential is gone")
        for entry in self._credentials():
            self._tell.say(f"{entry['keyId']}  {entry['displayName']}")
        self.tick(STEPS[5])

    def _replace_removed(self) -> None:
        """Remove what is published, as a person in the portal would; nobody tells the operator."""
        self._tell.chapter("Somebody removes the published secret in the portal")
        secret = self._kubectl_json("get", "secret", SECRET)
        held, removed = decoded(secret), secret["metadata"]["annotations"][KEY_ID]
        passwords = f"/applications/{CLIENT_ID}/passwords"
        self._stack.emulator.call("DELETE", f"{passwords}/{removed}")
        if self.signs_in(held):
            raise StoryError("the removed secret still signs in")
        self._tell.say("the workload's sign-in is refused; the operator's lists will show why")
        began = time.monotonic()
        self.wait("notice", lambda: self._is_missed(removed), 90)
        noticed = time.monotonic()
        self.tick(STEPS[7])
        self.wait("another secret", lambda: self.signs_in(self.values()), 60)
        took = time.monotonic() - noticed
        self._tell.say(
            f"noticed after {noticed - began:.0f} s; {took:.0f} s later the Secret signs in again"
        )
        self.tick(STEPS[8])

    def _kill(self) -> None:
        """Kill the operator while a successor is made, and start it again."""
        self._tell.chapter("The operator is killed in a rotation; a workload signs in every second")
        with SigningIn(lambda: self.signs_in(self.values())) as workload:
            self.wait("a successor", lambda: "pending" in self.status(), 120)
            published = self.status()["credential"]["keyId"]
            self._stack.operator.child.kill()
            self._tell.say("SIGKILL: the successor is in Entra, the Secret holds the former one")
            self.tick(STEPS[9])
            self._stack.operator.restart()
            self._stack.operator.wait_until_ready()
            self.wait("publish", lambda: self.status()["credential"]["keyId"] != published, 120)
        if workload.failures:
            raise StoryError(f"the workload could not sign in: {workload.failures[0]}")
        self._tell.say(f"{workload.tries} sign-ins meanwhile, none refused")
        self.tick(STEPS[10])

    def _is_missed(self, key: str) -> bool:
        """Return whether status says that this published secret is gone, or names another."""
        status = self.status()
        ready = next(c for c in status["conditions"] if c["type"] == "Ready")
        return bool(ready["status"] == "False" or status["credential"]["keyId"] != key)

    def _trust(self) -> None:
        """Create the trust first: its quiet period passes during the next chapter."""
        self._tell.chapter(f"kubectl apply -f {FEDERATION_EXAMPLE.relative_to(ROOT)}")
        self._stack.cluster.kubectl("apply", "-f", FEDERATION_EXAMPLE)
        self._stack.cluster.kubectl("create", "serviceaccount", "stranger", "-n", NAMESPACE)
        self._tell.say("workloads may use it after a quiet period; certificates fill the time")

    def _exchange(self) -> None:
        self._tell.chapter("No secret at all: ServiceAccounts sign in with their own tokens")
        self.wait("trust", lambda: self._condition("Ready", FEDERATION) == "True", 60)
        (trust,) = self.status(FEDERATION)["federatedIdentities"]
        self._tell.say(f"Entra trusts {trust['subject']}")
        self._tell.say(f"from {trust['issuer']}")
        account = self._kubectl_json("get", "serviceaccount", "orders")
        client_id = account["metadata"]["annotations"]["azure.workload.identity/client-id"]
        # Replicas of Entra show the trust one by one: a refused pod tries again.
        self.wait("exchange", lambda: not self._refusal("orders", client_id), 30)
        self._tell.say("WorkloadIdentityCredential(…).get_token(…) returned a token")
        self.tick(STEPS[14])
        refusal = self._refusal("stranger", client_id)
        if "AADSTS700213" not in refusal:
            raise StoryError(f"Entra did not refuse another ServiceAccount as expected: {refusal}")
        self._tell.say(refusal.split(". ")[0])
        self.tick(STEPS[15])

    def _refusal(self, account: str, client_id: str) -> str:
        cluster, emulator = self._stack.cluster, self._stack.emulator
        return sign_in_as(cluster, emulator, NAMESPACE, account, client_id=client_id)

    def _certificate(self) -> None:
        self._tell.chapter(f"kubectl apply -f {CERTIFICATE_EXAMPLE.relative_to(ROOT)}")
        before = self._thumbprints()
        self._stack.cluster.kubectl("apply", "-f", CERTIFICATE_EXAMPLE)
        self.wait("Ready", lambda: self._condition("Ready", CERTIFICATE) == "True", 60)
        first, old = self._read_secret(CERTIFICATE), self.status(CERTIFICATE)["credential"]
        if not self.signs_in(first):
            raise StoryError("the published certificate does not sign in")
        self._tell.say(f"CertificateCredential(…) signs in; thumbprint {old['thumbprint']}")
        self.tick(STEPS[11])
        self._renew_certificate(first, old["keyId"])
        self.wait("retirement", lambda: not self.signs_in(first), 60)
        if not before.items() <= self._thumbprints().items():
            raise StoryError("a foreign certificate is gone")
        for thumbprint, name in self._thumbprints().items():
            self._tell.say(f"{thumbprint}  {name}")
        self.tick(STEPS[13])

    def _renew_certificate(self, first: Mapping[str, str], old: str) -> None:
        self._tell.chapter("rotateIssuedBefore: now. A second certificate is registered")
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        patch = json.dumps({"spec": {"rotation": {"rotateIssuedBefore": moment}}})
        target = ("appcred", CERTIFICATE, "-n", NAMESPACE)
        self._stack.cluster.kubectl("patch", *target, "--type=merge", "-p", patch)
        self.wait("successor", lambda: self.status(CERTIFICATE)["credential"]["keyId"] != old, 60)
        if not (self.signs_in(first) and self.signs_in(self._read_secret(CERTIFICATE))):
            raise StoryError("old and new certificate do not both sign in during the overlap")
        self.tick(STEPS[12])

    def _thumbprints(self) -> dict[str, str]:
        found = self._stack.emulator.call("GET", f"/applications/{CLIENT_ID}")["keyCredentials"]
        return {key["customKeyIdentifier"]: key["displayName"] for key in found}

    # --- counting -------------------------------------------------------------------------

    def _settle(self) -> Counts:
        """Return the counts after the last writes of the issue."""
        last = Counts.of(self._stack)
        for _ in range(20):
            time.sleep(0.5)
            now = Counts.of(self._stack)
            if now.kubernetes_writes == last.kubernetes_writes:
                break
            last = now
        return last

    def _tell_counts(self, what: str, spent: Counts) -> None:
        self._tell.say(
            f"{what}: Kubernetes {spent.kubernetes_writes} writes, {spent.kubernetes_reads} reads, "
            f"{spent.events} Events; Graph {spent.graph_writes} writes, {spent.graph_reads} reads, "
            f"{spent.sign_ins} sign-ins"
        )

    def _bound(self, spent: Counts) -> None:
        within = (
            spent.kubernetes_writes <= MAX_WRITES
            and spent.kubernetes_reads <= MAX_READS
            and spent.events <= MAX_EVENTS
            and spent.graph_writes == 1
            and spent.graph_reads <= 1
        )
        if within:
            self.tick(STEPS[6])
