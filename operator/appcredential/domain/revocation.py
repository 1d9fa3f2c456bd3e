"""What happens for a deleted AppCredential: a revocation is scheduled, and later carried out.

A revocation is due after the grace period; until then creating the resource again cancels it.
`decide_revocation` walks an ordered list, as `lifecycle.decide` does: the first rule that
matches wins. Numbers and names are those of docs/lifecycle.md; the rules are in
`rules/revocation.py`. Called by `controllers/`.
"""

from __future__ import annotations

from typing import Final

from appcredential.domain.observed.revocation import RevocationObservation
from appcredential.domain.revocation_actions import DeleteRevocation, RevocationAction
from appcredential.domain.rules import revocation as rules

REVOCATION_RULES: Final = (
    rules.owner_is_present_or_unknown,  # R1
    rules.revocation_is_not_due,  # R2
    rules.directory_is_out_of_reach,  # R3
    rules.secrets_are_unread,  # R4
    rules.intent_is_recent,  # R5
    rules.application_is_unread,  # R6
    rules.all_credentials_are_inherited,  # R7
    rules.credential_is_left,  # R8
    rules.removal_is_unconfirmed,  # R9
    rules.service_account_is_annotated,  # R10
    rules.output_config_map_is_left,  # R11
    rules.pending_secret_is_left,  # R12
    rules.target_secret_is_left,  # R13
)
"""For deletions of every type."""


def decide_revocation(observation: RevocationObservation) -> RevocationAction:
    """Return the one thing to do next for a revocation. Pure: the clock is in it."""
    for rule in REVOCATION_RULES:
        if (action := rule(observation)) is not None:
            return action
    return DeleteRevocation()
