"""Python's results, written down for the apps' cores in Kotlin and Swift to be compared with.

``python -m tools.vectors tests/vectors`` writes one small JSON file per subject, whose cases hold
an input and what edgemat's own functions make of it. An array is ``{"shape": [2, 3, 3],
"values": [...]}`` in row-major order: integers 0..255 where Python has uint8, else numbers
rounded to five decimals. The cores agree with bytes within 1, and with floats within 1/255, most
of them far closer.
"""
