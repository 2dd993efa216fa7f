"""Mattes drawn by procedure: hair, fur, plants, nets, soft things, people."""
