"""A browser as a device: a page that a phone opens, with nothing installed."""
