"""The stable losses of an epoch."""
