"""Figures about the structure of the source tree: `make figures`.

They are read from the code's own syntax; nothing of the project is run or imported.
"""
