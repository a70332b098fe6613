"""The mechanisms of spiking networks: resets, poolings, inputs, outputs, normalizations, spikes.

Each is a row of one table that says all that engines, theory and report need of it. A module that
is put here is loaded with the tables, so a new mechanism is one new file.
"""
