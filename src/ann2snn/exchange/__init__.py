"""Specs as networks of other libraries, and in files that other programs read."""
