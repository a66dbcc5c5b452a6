"""The trainer: reads a frozen plan, trains a LoRA, saves and draws every epoch, says it all on stdout."""
