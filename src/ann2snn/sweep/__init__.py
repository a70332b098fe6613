"""Multiruns: points, plan, table, launchers."""
