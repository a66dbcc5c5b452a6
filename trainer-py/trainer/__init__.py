"""The trainer: reads a frozen plan, trains a LoRA, saves and draws every epoch, says it all on stdout."""

__version__ = "0.1.0"
