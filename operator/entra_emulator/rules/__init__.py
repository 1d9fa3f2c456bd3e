"""What Graph accepts: applications, passwords, keys, federated credentials, permissions."""
