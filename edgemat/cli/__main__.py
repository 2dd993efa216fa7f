"""`python -m edgemat.cli`: the same as the command `edgemat`."""

from edgemat.cli import main

main()
