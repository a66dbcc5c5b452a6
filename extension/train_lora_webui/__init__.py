"""The side of Train LoRA inside the WebUI. Its state survives "Reload UI", which executes `scripts/` alone again."""
