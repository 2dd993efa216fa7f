"""The stages of the pipeline and the command line: each takes an artefact and returns one.

The stages stand above all four packages, as `cli`, `pipeline` and `report` do.
"""
