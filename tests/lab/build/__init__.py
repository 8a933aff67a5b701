"""Everything the lab runs, made once and kept in a cache outside the checkout."""
