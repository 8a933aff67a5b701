"""What stands between containerd and runc: a wrapper that changes nothing unless a fault is set for a container."""
