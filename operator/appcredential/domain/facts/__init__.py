"""What follows from an observation, worked out once so that the rules read as sentences.

Pure functions and properties; nothing here chooses an action.
"""
