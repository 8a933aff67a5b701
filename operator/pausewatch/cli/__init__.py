"""The shell for people: argv, terminal, exit codes."""
