"""What MkDocs is told of edgemat's pages: see mkdocs.yml. It needs the extra `docs`."""
