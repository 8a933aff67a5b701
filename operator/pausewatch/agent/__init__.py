"""What the DaemonSet runs: the scan again and again, the watch of this node's pods, the report, the pages."""
