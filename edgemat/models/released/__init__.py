"""Networks as their authors released them: what their tensors are called, and how they are fed."""
