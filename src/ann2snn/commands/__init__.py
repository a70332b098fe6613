"""What a person calls: the command `ann2snn`, demo, reproduce, verify, accept, readme."""
