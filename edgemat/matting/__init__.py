"""From a picture to its alpha matte, with any model, and to the cut-out."""
