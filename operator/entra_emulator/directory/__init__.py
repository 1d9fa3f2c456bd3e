"""The objects of the emulated tenants, their history, and what each replica shows of them.

Nothing here knows HTTP, permissions, Graph's rules or the clock: callers pass changes and times in.
`graph/`, `tokens/` and `admin/` read and change it.
"""
