"""Issuers of federated tokens: which are trusted, their keys, and which credential matches."""
