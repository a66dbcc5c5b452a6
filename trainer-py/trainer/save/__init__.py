"""An epoch as a file: weights, metadata, card, curves."""
