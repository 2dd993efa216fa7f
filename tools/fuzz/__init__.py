"""Damaged and hostile inputs for every reader, made of right ones: ``python -m tools.fuzz``."""
