"""The choice or the short answer that a reply gives."""
