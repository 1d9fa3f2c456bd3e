"""The errors of this package. Their messages are for the person at the terminal."""

from __future__ import annotations


class ClusterError(Exception):
    """Base of all errors that this package raises on purpose."""


class BuildError(ClusterError):
    """A Go program could not be built, or the Go toolchain could not be installed."""


class ComponentError(ClusterError):
    """A component of the control plane ended by itself, or did not become ready in time."""


class ApiError(ClusterError):
    """The API server answered with an error, or not at all."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class KubectlError(ClusterError):
    """A kubectl command ended with a status other than zero, or did not end in time."""

    def __init__(self, message: str, returncode: int, stderr: str) -> None:
        super().__init__(message)
        self.returncode = returncode
        self.stderr = stderr
