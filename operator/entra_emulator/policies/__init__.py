"""App management policies: their documents, the policies of each tenant, and what they forbid.

They restrict new credentials and never a sign-in. `graph/` asks `checks.py` before it adds a
credential; `admin/` changes policies.
"""
