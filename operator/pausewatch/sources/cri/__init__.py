"""The container runtime interface: the only place that knows gRPC."""
