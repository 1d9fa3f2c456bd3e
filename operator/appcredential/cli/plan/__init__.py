"""`kubectl appcredential plan`: what the operator would do for an AppCredential, nothing done.

The operator's own `decide` judges what its own `gather/` reads, as the person who asks, by ports
that refuse every write (`person`). Each action is described (`describing`), played through on the
observation (`playing`), and decided upon again (`unrolling`), until only time is left. No Secret's
data is ever read; `assuming` takes what Secrets record for intact.
"""
