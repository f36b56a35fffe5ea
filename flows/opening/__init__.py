"""How a flow run begins: its name and tags, its lock, what an earlier attempt has left, its signs of life."""
