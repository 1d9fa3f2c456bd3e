"""Faults and quotas, seeded and repeatable: what they look like, and when they strike."""
