"""Pages, pictures and plots of a run, or of measurements."""
