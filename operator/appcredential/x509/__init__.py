"""Keys and certificates: made, read and packed. The only package that knows `cryptography`.

Called by `effects/`, `gather/` and `tenants/`. Nothing here asks a server.
"""
