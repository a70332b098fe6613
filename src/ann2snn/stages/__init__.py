"""The steps as Hydra applications: `python -m ann2snn.stages.<step>`, alone, by DVC, or `-m`."""
