"""The plan's pictures and captions as what a step reads: latents, masks, tokens."""
