"""What runs inside a node that is a virtual machine, and the way to run commands there.

`initramfs.sh`, `init.sh`, `daemon.sh` and `serve.py` are the machine's own: they know nothing of Kubernetes and import
nothing of the lab. `client.py` is the other end of `serve.py`, on the machine around it.
"""
