"""The operator renews its own credential: what is observed, and what is decided. Pure."""
