"""The code of a logged model: MLflow keeps this file beside the spec, and runs it to load both."""

from ann2snn.tracking.served_network import offer

if not __name__.startswith("ann2snn."):  # MLflow gives it a name of its own
    offer()
