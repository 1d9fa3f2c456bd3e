"""What the target and pending Secrets hold: their records (annotations) and their content.

The annotations are a wire format: older releases wrote them and newer ones must read them.
"""
