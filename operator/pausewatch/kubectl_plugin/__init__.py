"""``kubectl pausewatch``: what the stored reports say about a fleet, a node or a pod."""
