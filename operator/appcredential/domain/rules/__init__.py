"""The ordered rules, one function each, by subject.

A rule is a pure function of `Facts`: it returns the action that is due now, or None.
`domain/lifecycle.py` puts them in order and is the only caller, but that `gather/` asks
`gates.is_admitted` before it reads a source.
"""
