"""A run's results in the formats of other tools, one module a format; `exports` knows them all."""
