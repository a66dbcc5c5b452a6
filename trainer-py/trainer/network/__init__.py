"""LoRA and its relatives: in training, in files and as numbers."""
