"""The lab: real container runtimes, started from nothing, in which pods are made and broken on purpose.

Nothing in here imports the product: what the lab says about a node must not depend on the code it tests.
"""
