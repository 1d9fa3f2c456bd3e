"""JSON Web Tokens, key sets and client assertions: formats, signatures and times.

Nothing here decides who may sign in or call Graph. `tokens/`, `issuers/` and Graph's authentication
and proofs of possession call it.
"""
