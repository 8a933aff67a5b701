"""The API server, as we ask it and write to it: the only package that does."""
