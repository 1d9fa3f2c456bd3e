"""A stand-in for the parts of Microsoft Graph and the Entra token endpoint that credentials need.

`EmulatorServer` runs it inside a process, `python -m entra_emulator` as a process of its own. It is
a tool for tests and demonstrations: it holds no real directory, and anybody who can reach its admin
API controls it. Nothing here imports the operator, and the operator imports nothing from here.
"""

from __future__ import annotations

__version__ = "0.1.0"
