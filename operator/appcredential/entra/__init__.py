"""Adapters for Microsoft Graph and the Entra token endpoint.

The only package that knows msgraph, kiota, azure-identity and httpx. It raises
the errors of `errors.py` and hands out the types of `domain/`, nothing else.
"""
