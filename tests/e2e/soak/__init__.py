"""The soak: random faults, healed in random order, on a node where pods come and go and everything else fails too."""
