"""The parts of the process: queue, loops, clock, health, metrics, logs.

They know nothing of credentials.
"""
