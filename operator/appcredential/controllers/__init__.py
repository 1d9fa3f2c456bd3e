"""One controller per kind: look at one object, decide, act, say when to look again.

Called by the workers of `process.py`; what is decided comes from `domain/`.
"""
