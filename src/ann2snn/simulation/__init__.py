"""Simulation of a spiking spec, step by step."""
