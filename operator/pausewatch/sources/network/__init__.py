"""What the network of a node and its pods leaves in files."""
