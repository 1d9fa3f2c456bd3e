"""The command-line tool `kubectl appcredential`: what a person asks of the API server.

It knows the custom resource, the API server and a terminal. It reads and patches AppCredentials
as the person who runs it, and imports nothing of the operator but `domain/` and `report/`. Only
`entra_sign_in`, `entra_access` and `entra_reads`, which read Microsoft Graph as that person, use
the operator's `entra/`; `doctor/` knows its settings, and `plan/` its reading, by a client that
cannot write. `entry.py` is called by the console scripts and by `python -m appcredential ctl`; it
works without click and rich. `text`, `app_credential`, `columns`, `tables`, `story`,
`changes`, `conditions`, `stock`, `trust_members`, `proposals`, `proposed`, `manifests` are pure.
"""
