"""The emulator's admin API and its seeds: objects, clock, faults, policies, issuers, request log.

Changes made here show on all replicas at once and need no permission; `rules/` has Graph's rules.
`server.py` mounts the routes and plants the seed; tests also call the actions directly.
"""
