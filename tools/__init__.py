"""Tools that make the data, documents and checks. Not installed with edgemat."""
