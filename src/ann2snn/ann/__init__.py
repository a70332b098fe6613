"""The analog network: its layers, its training, its weights."""
