"""The report: one page about all AppCredentials, from what their status says.

Everything here is pure: small rows and the time go in, text comes out. The command-line tool and
the operator call `rows.row_of` and `page.render`. Nothing here reads a Secret, and nothing may:
a row holds names, ids, times and messages.
"""
