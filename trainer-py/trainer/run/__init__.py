"""A run from start to end: its state, its pauses, its epochs."""
