"""What is found: one file and one page per check."""
