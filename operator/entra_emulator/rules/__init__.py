"""Graph's rules for applications, passwords, keys, federated credentials and permissions.

They are functions on values: no HTTP, no replicas, no stored state. `graph/` calls them, and
`admin/` does for values that Graph would refuse.
"""
