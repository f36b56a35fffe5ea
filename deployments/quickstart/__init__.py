"""A hundred questions and a configuration that need no model server."""
