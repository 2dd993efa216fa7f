"""What the pipeline and the command line do to artefacts: each stage takes one and returns one.

The stages stand above all four packages, as `cli`, `pipeline` and `report` do.
"""
