"""`kubectl appcredential doctor`: what is wrong with an installation, and what to do about it.

`gathering` reads, as the person; what may not be read is said and never counts as fine. All other
modules judge what was read, and are pure. `judge` has the list of the checks.
"""
