"""Errors as Graph and the token endpoint word them."""
