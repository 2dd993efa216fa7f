"""Networks that are not edgemat's: any ``nn.Module``, traced once, then rewritten for phones.

``program.py`` traces, stores and reads a program; ``lowering.py`` turns it into the deploy form by
the rules in ``operators/``, one for each of torch's operators; ``passes.py`` folds what it can.
"""
