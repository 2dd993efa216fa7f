"""Latency and accuracy, measured by a stated protocol and judged against stated bounds."""
