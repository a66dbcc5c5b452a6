"""Latents of the plan's pictures, encoded once for all runs."""

import hashlib
from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path

import torch
from torch import Tensor, nn

from trainer.dataset.latent_folder import LatentFolder
from trainer.dataset.pictures import load_picture
from trainer.dataset.sample_crop import Sample
from trainer.failure import Failure
from trainer.model.base_model import BaseModel
from trainer.plan import PlanImage

_PIXELS_AT_ONCE = 2 * 512 * 512


def cache_latents(
    base: BaseModel,
    samples: Sequence[Sample],
    *,
    root: Path,
    folder: LatentFolder,
    progress: Callable[[int, int], None],
) -> dict[Sample, Tensor]:
    """Latents (4, height/8, width/8), float32 on the CPU; only those that `folder` lacks are encoded.

    They are the mean of the autoencoder's distribution times the scale factor. `progress(done, total)` may raise to
    interrupt; what is encoded by then is kept. Raises Failure when a picture can't be used.
    """
    samples = list(dict.fromkeys(samples))
    keys = _keys(base, root, samples)
    found = {sample: latent for sample in samples if (latent := folder.read(keys[sample])) is not None}
    missing = sorted((sample for sample in samples if sample not in found), key=lambda sample: sample.image.bucket)
    for batch in _batches(missing):
        progress(len(found), len(samples))
        latents = encode_pictures(base, [load_picture(root, sample.image, sample.crop) for sample in batch])
        for sample, latent in zip(batch, latents, strict=True):
            folder.write(keys[sample], latent)
            found[sample] = latent.clone()
    if missing:
        folder.trim()
    progress(len(found), len(samples))
    return found


def encode_pictures(base: BaseModel, pictures: list[Tensor]) -> Tensor:
    """Latents (B, 4, height/8, width/8) on the CPU of pixels (3, height, width) in -1…1."""
    with torch.no_grad():
        mean = base.vae.encode(torch.stack(pictures).to(base.device))
        return (mean * base.scale_factor).cpu().contiguous()


def _batches(samples: list[Sample]) -> list[list[Sample]]:
    batches = []
    for bucket, same in groupby(samples, key=lambda sample: sample.image.bucket):
        group = list(same)
        size = max(1, min(16, _PIXELS_AT_ONCE // (bucket[0] * bucket[1])))
        batches += [group[at : at + size] for at in range(0, len(group), size)]
    return batches


def _keys(base: BaseModel, root: Path, samples: Sequence[Sample]) -> dict[Sample, str]:
    encoder = _fingerprint(base.vae)
    contents = {image: _content(root, image) for image in dict.fromkeys(sample.image for sample in samples)}
    found = {}
    for sample in samples:
        image, crop = sample.image, sample.crop
        facts = (contents[image], image.bucket, image.resized, crop, encoder, base.scale_factor)
        found[sample] = hashlib.sha256(repr(facts).encode()).hexdigest()
    return found


def _content(root: Path, image: PlanImage) -> str:
    try:
        return hashlib.sha256((root / image.id).read_bytes()).hexdigest()
    except OSError as error:
        raise Failure(
            "crashed",
            f"Expected the picture {root / image.id} of the plan, but it is not there any more; "
            "put it back, or plan the run again without it.",
        ) from error


def _fingerprint(vae: nn.Module) -> str:
    """Tells encoders apart by sums over the bits of their weights, which are exact in any order and quickly made."""
    digest = hashlib.sha256()
    for name, weight in vae.state_dict().items():
        if name.startswith(("encoder.", "quant_conv.")) and weight.dtype == torch.float32 and not weight.is_meta:
            bits = weight.detach().contiguous().view(torch.int32).flatten()
            ends = (int(bits[0]), int(bits[-1]))
            digest.update(repr((name, tuple(weight.shape), int(bits.sum(dtype=torch.int64)), *ends)).encode())
    return digest.hexdigest()
