"""The world as model values: thin readers with pure parsers beside them."""
