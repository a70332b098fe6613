"""The steps as Hydra applications: `python -m ann2snn.pipeline.<step>`, alone, by DVC, or `-m`."""
