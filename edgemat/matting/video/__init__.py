"""Videos, by PyAV: every frame in, every frame out, with its time; sound is kept."""
