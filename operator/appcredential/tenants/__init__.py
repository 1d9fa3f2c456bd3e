"""Sessions with Entra for each EntraTenant, and the operator's own credential.

`controllers/entra_tenant.py` keeps them up to date; all others ask `access.py` for a tenant.
Nothing here knows a Graph library.
"""
