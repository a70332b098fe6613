"""Which torch operation becomes which node: one file a family, each registers its operations.

To add a kind, write its function under `@module(...)`, `@function(...)` or `@method(...)` in one of
these files, or in a new one that `registry.load` lists.
"""
