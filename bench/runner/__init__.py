"""The program that measures on a device: C over LiteRT's C API, no Python there.

``make runner`` compiles it and packs it, with the loader and all libraries that it needs, into one
archive for each architecture.
"""
