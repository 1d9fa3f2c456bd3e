"""What exists, as last seen: the three kinds and the scheduled revocations, in memory.

A cache only says that something is worth a look; what is acted on is read live.
"""
