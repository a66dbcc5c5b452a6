"""What can be done with LoRA files after a run."""
