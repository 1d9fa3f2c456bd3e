"""The emulator's own admin API: seeds, clock, faults, policies, issuers, request log."""
