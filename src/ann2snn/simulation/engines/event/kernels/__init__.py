"""Compiled kernels of the event engine; `driver` runs a lowered network through all its steps."""
