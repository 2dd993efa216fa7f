"""From a trained or quantized network to the files a phone runs, each proven."""

from edgemat.callable_package import make_callable

make_callable(__name__)
