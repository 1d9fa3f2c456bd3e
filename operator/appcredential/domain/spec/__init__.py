"""What users ask for: manifests as they arrive, and the parsed, checked model.

`manifest.py` is the wire form, `model.py` the parsed one; `parse*.py` leads from one to
the other and names the field of every error.
"""
