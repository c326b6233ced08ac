"""What a batch costs, and what it survives."""
