"""JSON Web Tokens, keys and client assertions."""
