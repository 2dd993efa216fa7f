"""How the sets of pictures that people have are laid out in folders.

``files`` is what every layout comes down to, ``own`` the layout that edgemat invites, ``mattes``
those of the published sets of mattes, ``pictures`` those of the thesis' other tasks, ``table`` all
of them by name; ``check`` looks whether a folder is complete. No set is fetched or shipped.
"""
