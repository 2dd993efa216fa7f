"""The devices that a model can be measured on; each says its circumstances."""
