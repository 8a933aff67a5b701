"""What thousands of agents ask of an API server, by load: ``make scale``."""
