"""What a release consists of, and how it gets into a registry.

`version.py` holds a tag against what says the version, `place.py` says where things go,
`registry.py` signs in there, `images.py` and `chart.py` push, `signatures.py` signs, and `files.py`
collects what people download. Everything but keyless signing runs on a machine without GitHub,
against a registry of one's own.
"""
