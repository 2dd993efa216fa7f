"""Artefacts: what a stage wrote, whole, with where it comes from and what it costs."""
