"""The command-line tool as one file: `make zipapp` writes it, and what krew needs besides.

`contents.py` says what goes in, `archive.py` writes it the same way each time, `bootstrap.py` is
what runs when the file is started, and `krew.py` makes the manifest.
"""
