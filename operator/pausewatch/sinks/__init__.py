"""A Report as its readers want it: pure rendering."""
