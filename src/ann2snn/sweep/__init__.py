"""Multiruns: sweeps and searches, points, plan, launchers, table."""
