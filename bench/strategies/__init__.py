"""Other ways to issue client secrets and to keep watch over them, against the same emulator.

Each is a few lines of its own, so that what a rule of the operator saves has its figure.
`python -m bench.strategies` runs them and the operator on one fleet.
"""
