"""Adapters for Microsoft Graph and the Entra token endpoint; `ports/entra.py` is what they serve.

The only package that knows msgraph, kiota, azure-identity and httpx. It raises the errors of
`errors.py` and returns types of `domain/`, nothing else. `composition.py` opens sessions by
`tenant_session.py`; nobody else imports it.
"""
