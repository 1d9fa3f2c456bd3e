"""The demo: a complete installation on one machine, and a story that walks through it.

It starts the operator and the emulator as processes and watches them from outside: nothing here
imports their code. `make demo` and `make cluster EMULATOR=1` run it, and tests start its processes.
"""
