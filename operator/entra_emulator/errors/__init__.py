"""The errors of Graph and of the token endpoint: status, code and text, as Entra words them.

Nothing here decides when an error occurs. The rules and operations raise them; `graph/exchange.py`
and `tokens/endpoint.py` turn them into answers.
"""
