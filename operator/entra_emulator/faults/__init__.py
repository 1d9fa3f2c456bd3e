"""Faults and quotas, seeded and repeatable: their documents, when they strike, and their effects.

They know operations by name only: nothing here reads the directory or knows HTTP. Graph's pipeline
and the token endpoint ask them about each request; `admin/` sets them.
"""
