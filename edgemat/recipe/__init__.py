"""Recipes, their sections, and the checks that they can be met."""
