"""Cells of epochs × weights: many LoRAs in few calls of the models."""
