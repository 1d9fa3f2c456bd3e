"""Measures the operator at size: `python -m bench` (`make bench`)."""
