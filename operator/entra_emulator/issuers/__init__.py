"""Issuers of federated tokens: which are known, their keys, and which credential matches a token.

Only this folder contacts other servers, and only addresses that the admin API or a seed named.
`tokens/federated_login.py` asks it; `admin/` adds and removes issuers.
"""
