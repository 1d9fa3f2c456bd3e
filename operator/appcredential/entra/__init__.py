"""Adapters for Microsoft Graph and the Entra token endpoint; `ports/entra.py` is what they serve.

The only package that knows msgraph, kiota, azure-identity and httpx. It raises the errors of
`errors.py` and returns types of `domain/`, nothing else. Only `composition.py` imports it, to
hand `session_opener.py` to `tenants/`.
"""
