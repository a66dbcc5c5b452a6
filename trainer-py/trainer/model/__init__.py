"""Stable Diffusion 1, 2 and XL: read from any file of theirs, as modules of plain torch."""
