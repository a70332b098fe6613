"""Conversion of analog networks into spiking specs."""
