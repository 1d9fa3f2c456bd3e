"""appcredential: Microsoft Entra application credentials for Kubernetes workloads."""

__version__ = "0.1.0"
