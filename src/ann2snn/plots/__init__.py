"""How figures look, and the figures of a single result; all need matplotlib, an extra."""
