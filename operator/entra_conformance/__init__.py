"""Numbered checks of Microsoft Graph and of the Entra token endpoint.

They compare the emulator, or a real tenant, with what is known of Entra.

The checks speak only HTTP, and know nothing of the operator; only `emulated.py` knows the
emulator, to start one. A check is right where the documentation or a recording of Graph says so:
one that fails in a real tenant is a fault of the emulator, or of what it was built from.
"""
