"""Question files: how they are read, what their entries ask, and what looks wrong in them."""
