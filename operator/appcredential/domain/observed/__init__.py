"""What `gather` saw: Entra, the Secrets, other objects, and what this process remembers.

Plain frozen values. They hold no rule; `facts/` draws the conclusions.
"""
