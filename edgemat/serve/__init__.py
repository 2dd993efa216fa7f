"""`edgemat serve`: a page, and one address that photographs are posted to. It keeps nothing."""
