"""The sessions with Entra that EntraTenants stand for, and the operator's own credential.

Called by `controllers/entra_tenant.py`; knows no Graph library.
"""
