"""The token endpoint: who signs in, with which credential, and the token that they get.

`endpoint.py` speaks HTTP, the other modules work on values; nothing here changes the directory.
`server.py` mounts it; Graph's authentication reads the claims that `issue.py` writes.
"""
