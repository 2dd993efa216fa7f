"""A recipe from its first stage to its last: each runs once, cached by content."""
