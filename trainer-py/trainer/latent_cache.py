"""Latents of the plan's pictures, encoded once and kept in the run's folder."""

import hashlib
from collections.abc import Callable
from itertools import groupby
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from trainer import atomic_file
from trainer.base_model import BaseModel
from trainer.failure import Failure
from trainer.pictures import load_picture
from trainer.plan import PlanImage

_PIXELS_AT_ONCE = 2 * 512 * 512


def cache_latents(
    base: BaseModel, images: tuple[PlanImage, ...], *, root: Path, file: Path, progress: Callable[[int, int], None]
) -> dict[str, Tensor]:
    """Latents (4, height/8, width/8), float32 on the CPU, by image id; only pictures that `file` lacks are encoded.

    They are the mean of the autoencoder's distribution times the scale factor. `progress(done, total)` may raise to
    interrupt; what is encoded by then is kept. Raises Failure when a picture can't be used.
    """
    kept = _read(file)
    keys = {image.id: _content_key(base, root, image) for image in images}
    missing = sorted((image for image in images if keys[image.id] not in kept), key=lambda image: image.bucket)
    done = len(images) - len(missing)
    try:
        for batch in _batches(missing):
            progress(done, len(images))
            pictures = torch.stack([load_picture(root, image) for image in batch])
            latents = _encode(base, pictures)
            kept.update({keys[image.id]: latent.clone() for image, latent in zip(batch, latents, strict=True)})
            done += len(batch)
    finally:
        found = {key: kept[key] for key in sorted(set(keys.values())) if key in kept}
        if missing and found:
            atomic_file.replace(file, [save(found)])
    progress(done, len(images))
    return {image.id: kept[keys[image.id]] for image in images}


def _encode(base: BaseModel, pictures: Tensor) -> Tensor:
    with torch.no_grad():
        mean = base.vae.encode(pictures.to(base.device))
        return (mean * base.scale_factor).cpu().contiguous()


def _batches(images: list[PlanImage]) -> list[list[PlanImage]]:
    batches = []
    for bucket, same in groupby(images, key=lambda image: image.bucket):
        group = list(same)
        size = max(1, min(16, _PIXELS_AT_ONCE // (bucket[0] * bucket[1])))
        batches += [group[at : at + size] for at in range(0, len(group), size)]
    return batches


def _content_key(base: BaseModel, root: Path, image: PlanImage) -> str:
    try:
        content = hashlib.sha256((root / image.id).read_bytes()).hexdigest()
    except OSError as error:
        raise Failure(
            "crashed",
            f"Expected the picture {root / image.id} of the plan, but it is not there any more; "
            "put it back, or plan the run again without it.",
        ) from error
    model = base.path.stat()
    facts = (content, image.bucket, image.resized, str(base.path), model.st_size, model.st_mtime_ns)
    return hashlib.sha256(repr(facts).encode()).hexdigest()


def _read(file: Path) -> dict[str, Tensor]:
    try:
        return load(file.read_bytes())
    except (FileNotFoundError, SafetensorError):
        return {}  # a cache that is lost or damaged costs time only
