"""Training and test data: exact alpha mattes, composited on the fly.

``procedural`` draws mattes without any file, ``folder`` reads a user's, ``trimap``, ``composite``
and ``augment`` turn a matte into a :class:`~edgemat.data.sample.Sample`, and ``dataset`` feeds
torch. Only ``dataset`` imports torch.
"""
