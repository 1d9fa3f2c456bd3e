"""The parts of the process: queue, loops, clock, effect guard, health, metrics, logs.

They know nothing about credentials, Entra or Kubernetes. `process.py` runs them.
"""
