"""What the controllers need from outside, as Protocols, each named after its adapters' folder.

Nothing here does anything. Controllers, effects and readers know these Protocols only;
`composition.py` gives them the adapters.
"""
