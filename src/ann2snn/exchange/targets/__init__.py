"""One file for each library whose neurons take a network."""
