"""What a person calls: the command `ann2snn` and what it starts, demo, verify, accept, readme."""
