"""Losses, schedules and the loop that trains a network."""
