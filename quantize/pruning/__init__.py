"""Pruning: channels that leave, for a network that is faster; or single weights, for its file."""
