"""Status as users read it: conditions, reasons and messages, computed from the facts.

Nothing here is stored: if status is lost, it is computed again.
"""
