"""One optimizer step: what it trains on, its loss, its optimizer."""
