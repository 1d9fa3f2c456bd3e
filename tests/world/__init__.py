"""A world in virtual time: the real operator, as it is built, on an Entra and a cluster in memory.

`world.py` lets one thing happen after another, `events.py` has what may go wrong or be asked for,
`oracles.py` what must hold after each step. `histories.py` plays histories; `search.py` finds those
that break a promise, and `story.py` tells them.
"""
