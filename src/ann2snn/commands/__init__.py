"""What a person calls: demo, verify, accept, readme."""
