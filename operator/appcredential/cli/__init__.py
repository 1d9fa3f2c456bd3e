"""The command-line tool `kubectl appcredential`: what a person asks of the API server.

It knows the custom resource, the API server and a terminal. It reads and patches AppCredentials
as the person who runs it, and imports nothing of the operator but `domain/`. Only `entra_sign_in`,
`entra_access` and `entra_reads`, which read Microsoft Graph as that person, use the operator's
`entra/`. `entry.py` is called by the console scripts and by `python -m appcredential ctl`; it
works without click and rich. `text`, `app_credential`, `attention`, `columns`, `tables`, `story`,
`changes`, `conditions`, `stock`, `trust_members`, `proposals`, `proposed`, `manifests` are pure.
"""
