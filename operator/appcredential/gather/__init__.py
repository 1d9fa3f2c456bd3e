"""Reads everything that a decision rests on, into one observation. Changes nothing.

Called by `controllers/` before each decision.
"""
