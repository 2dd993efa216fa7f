"""Errors of mattes, the pictures that they are measured on, and bounds on both."""
