"""From a trained or quantized network to the files a phone runs, each proven."""
