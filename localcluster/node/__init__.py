"""A throw-away node that runs real pods: a second level of the local cluster, for root on Linux.

The node is one tree of processes in namespaces of its own, below a cgroup of its own. Its end
takes everything with it; nothing of the machine is changed for it.
"""
