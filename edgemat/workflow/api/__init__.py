"""The functions that a user calls, from Python as from the command line: artefacts in and out.

``edgemat/__init__.py`` hands them out by name: ``edgemat.quantize``, ``edgemat.verify``, ...
They are light to import: what needs torch is imported when a function is called.
"""
