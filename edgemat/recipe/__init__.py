"""What a user asks for: recipes, their sections, and whether they can be met."""
