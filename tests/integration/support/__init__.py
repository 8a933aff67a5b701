"""What the tests on a real container runtime share."""
