"""The demonstration: a whole installation on one machine, and a story told with it."""
