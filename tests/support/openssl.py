"""Tests that compare with the openssl command, which a machine may lack."""

from __future__ import annotations

import shutil

import pytest

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="there is no openssl")
