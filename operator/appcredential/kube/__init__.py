"""Kubernetes adapters: the only place that knows the Kubernetes client and object shapes."""
