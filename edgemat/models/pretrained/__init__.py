"""Start an encoder from weights that others have trained on ImageNet."""
