"""The pictures of the documentation, made from what they show: ``make pictures``."""
