"""Latency and accuracy, measured by a stated protocol and judged against stated bounds."""

from edgemat.callable_package import make_callable

make_callable(__name__)
