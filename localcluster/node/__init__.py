"""A disposable node that runs real pods, as an addition to the local cluster, for root on Linux.

The node is one tree of processes in its own namespaces and its own cgroup. Its end removes
everything, and it changes nothing on the machine. Only the cluster, the control plane and the
commands of localcluster call it; inside.py and joining.py are scripts without our imports.
"""
