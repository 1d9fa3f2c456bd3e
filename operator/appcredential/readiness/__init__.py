"""`python -m appcredential check`: whether a tenant and this cluster are ready for the operator.

It signs in with the operator's own settings and credential, and only reads.
"""
