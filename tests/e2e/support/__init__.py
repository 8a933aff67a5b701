"""What the tests of the agent on a real cluster share."""
