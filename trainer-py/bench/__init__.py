"""Measurements of the trainer: `python -m bench.grid`, `bench.trainer`, `bench.dataset` print one JSON line each."""
