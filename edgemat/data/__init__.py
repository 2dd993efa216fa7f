"""Training and test data: exact alpha mattes, composited on the fly.

Where mattes come from: ``procedural`` draws them without any file, ``folder`` reads a user's, and
``mix`` makes one source of several, over backgrounds of their own; ``open`` opens what a recipe
names. How a matte becomes a :class:`~edgemat.data.sample.Sample`: ``augment`` (crops around edges)
or ``views`` (people anywhere in the frame), ``photometric`` changes of colour, ``composite`` and
``trimap``; the thesis' own ways are ``pipelines`` (which look through ``warp``) and ``strong``, on
``operations``; ``dataset`` does all that and feeds torch. Files for later: ``soften`` turns binary
masks into soft mattes, ``compose`` writes drawn cut-outs and composites.

Only ``dataset``, ``compose`` and ``pipelines`` import torch.
"""
