"""What users ask for: manifests as they arrive, and the parsed, checked model.

`manifest*.py` are the wire form, `model.py` and its neighbours the parsed one. `parse*.py` lead
from one to the other and name the field of every error.
"""
