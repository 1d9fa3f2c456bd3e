"""The operator renews its own certificate: what is observed, and what is decided. Pure."""
