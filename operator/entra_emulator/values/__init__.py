"""Values that Graph writes in a way of its own: instants, secrets, certificates."""
