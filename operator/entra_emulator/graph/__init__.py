"""Microsoft Graph v1.0, as far as this field uses it: one module per collection of requests."""
