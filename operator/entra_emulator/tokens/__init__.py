"""The token endpoint: who signs in, with what, and the token they get."""
