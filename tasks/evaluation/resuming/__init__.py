"""The files that earlier runs left: finding, checking, comparing, reusing and removing them."""
