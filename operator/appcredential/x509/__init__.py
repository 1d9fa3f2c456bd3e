"""Certificates and keys: made, read and packed; the only place that knows `cryptography`."""
