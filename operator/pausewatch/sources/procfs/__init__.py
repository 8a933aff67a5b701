"""The /proc file system: one module per kernel file."""
