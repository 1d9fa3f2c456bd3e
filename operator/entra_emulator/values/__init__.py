"""Values that Graph writes in its own way: instants, secrets, certificates.

They are conversions without state and import nothing else of the emulator; every other folder may
call them.
"""
