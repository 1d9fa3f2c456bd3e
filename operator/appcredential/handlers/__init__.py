"""The kopf edge: events in, nothing decided.

kopf is used as a watch shell only. It runs in a thread and event loop of its
own, so that its fatal exits cannot cancel an effect that is under way; each
event is handed over to the main loop and forgotten here.
"""
