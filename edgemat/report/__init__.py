"""What a person sees of a run or of measurements: pages, pictures, plots."""
