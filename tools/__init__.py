"""What makes the data: rendered people, backgrounds. Not installed with edgemat."""
