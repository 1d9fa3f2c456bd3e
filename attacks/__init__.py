"""Attacks on a running installation, each with what it cost the others."""
