"""The shapes a lab can have: one module per way to make a node, all on the same places, cgroup and remains."""
