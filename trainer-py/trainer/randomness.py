"""Random numbers as a pure function of the seed and a place in the run, so that a resumed run draws the same ones."""

import hashlib

import torch


def derived_seed(seed: int, *place: int | str) -> int:
    """A 63-bit seed from the run's seed and a place such as ("noise", step)."""
    text = "/".join(str(part) for part in (seed, *place))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") >> 1


def generator(seed: int, *place: int | str) -> torch.Generator:
    """A CPU generator for the place; noise is always drawn on the CPU so that devices agree."""
    return torch.Generator().manual_seed(derived_seed(seed, *place))
