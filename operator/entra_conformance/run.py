"""Run checks one after the other; whatever happens, clean up."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from entra_conformance.bench import Bench
from entra_conformance.check import Check
from entra_conformance.client import Client
from entra_conformance.outcome import CannotCheckError, NotApplicableError, Result, Seen, Verdict
from entra_conformance.redacted import Vault
from entra_conformance.target import Target


@dataclass(slots=True)
class Report:
    """What a run found; it is filled while the run goes on, so that an interrupted one has some.

    Attributes:
        results: in the order of the checks.
        left: what could not be removed, in words.
        stopped: why the run did not come to its end.
    """

    results: list[Result] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    stopped: str = ""

    @property
    def exit_code(self) -> int:
        """0: everything agrees; 1: something differs or stayed; 2: the run did not finish."""
        if self.stopped:
            return 2
        fine = {Verdict.AGREES, Verdict.SKIPPED}
        return int(bool(self.left) or any(one.verdict not in fine for one in self.results))


async def run(target: Target, vault: Vault, checks: Sequence[Check], report: Report) -> None:
    """Sign in, run the checks, clean up also after a failure or a cancellation.

    Raises:
        asyncio.CancelledError: the run was interrupted; what it made is removed.
    """
    async with Client(target, vault) as client:
        try:
            await client.sign_in()
        except CannotCheckError as error:
            report.stopped = vault.cleaned(str(error))
            return
        bench = Bench(target, client, vault)
        try:
            for check in checks:
                report.results.append(await _result(bench, check))
        finally:
            if any(check.writes for check in checks):
                # A second interruption must not hide what stayed.
                report.left = [f"application {name}: not tried" for name in bench.made()]
                report.left = [vault.cleaned(one) for one in await bench.clean_up()]


async def _result(bench: Bench, check: Check) -> Result:
    start = time.monotonic()
    note = ""
    try:
        found = await check.run(bench)
    except NotApplicableError as reason:
        seen, verdict = str(reason), Verdict.SKIPPED
    except CannotCheckError as reason:
        seen, verdict = str(reason), Verdict.FAILED
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        # An answer of another shape than Graph's. Its text is not shown: it may hold anything.
        seen, verdict = f"an answer of another shape ({type(error).__name__})", Verdict.FAILED
    else:
        told = found if isinstance(found, Seen) else Seen(text=found)
        seen, note = told.text, told.note
        verdict = Verdict.AGREES if seen == check.expected else Verdict.DIFFERS
    return Result(
        number=check.number,
        title=check.title,
        expected=check.expected,
        seen=bench.vault.cleaned(seen),
        verdict=verdict,
        note=bench.vault.cleaned(note),
        seconds=round(time.monotonic() - start, 3),
    )
