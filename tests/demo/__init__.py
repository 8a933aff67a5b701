"""The demonstration: what a user meets, on a real node that it starts itself. Every claim it prints is checked."""
