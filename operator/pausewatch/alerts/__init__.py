"""Alerts about the agents themselves, with their pages; those about findings follow from the checks."""
