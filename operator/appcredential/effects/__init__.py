"""Performs the one action that was decided, and nothing else.

Each effect looks again, live, at what would make it harmful. Called by `controllers/`.
"""
