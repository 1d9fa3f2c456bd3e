"""What can go wrong, worded for the person at the terminal."""

from __future__ import annotations


class ClusterError(Exception):
    """Base of everything this package raises on purpose."""


class BuildError(ClusterError):
    """The Kubernetes binary, or the Go toolchain for it, could not be made."""


class ComponentError(ClusterError):
    """A component of the control plane ended by itself or never became ready."""


class ApiError(ClusterError):
    """The API server answered with an error, or not at all."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class KubectlError(ClusterError):
    """A kubectl command ended with a status other than zero."""

    def __init__(self, message: str, returncode: int, stderr: str) -> None:
        super().__init__(message)
        self.returncode = returncode
        self.stderr = stderr
