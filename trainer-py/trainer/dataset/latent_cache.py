"""Latents of the plan's pictures, encoded once for all runs, and not before they are needed."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
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


class LatentCache(Mapping[Sample, Tensor]):
    """Latents (4, height/8, width/8) of `samples`, float32 on the CPU, each made when it is first asked for.

    They are the mean of the autoencoder's distribution times the scale factor; what `folder` has is not encoded again.
    `progress(done, total)` may raise to interrupt; what is encoded by then is kept. Asking raises Failure when a
    picture can't be used.
    """

    def __init__(
        self,
        base: BaseModel,
        samples: Sequence[Sample],
        *,
        root: Path,
        folder: LatentFolder,
        progress: Callable[[int, int], None],
    ) -> None:
        self._base, self._root, self._folder, self._progress = base, root, folder, progress
        self._samples = dict.fromkeys(samples)
        self._found: dict[Sample, Tensor] = {}

    def __getitem__(self, sample: Sample) -> Tensor:
        if sample not in self._found:
            if sample not in self._samples:
                raise KeyError(sample)
            self._find(self._group(sample))
        return self._found[sample]

    def __iter__(self) -> Iterator[Sample]:
        return iter(self._samples)

    def __len__(self) -> int:
        return len(self._samples)

    def encode_all(self) -> None:
        """Make all that nobody has asked for yet, several at once."""
        self._find([sample for sample in self._samples if sample not in self._found])
        self._progress(len(self._found), len(self._samples))

    def _group(self, sample: Sample) -> list[Sample]:
        # Those that `encode_all` would take together, because the last bits of a latent depend on its company.
        return next(group for group in _batches(sorted(self._samples, key=_bucket)) if sample in group)

    def _find(self, samples: list[Sample]) -> None:
        keys = _keys(self._base, self._root, samples, self._encoder)
        kept = {sample: self._folder.read(keys[sample]) for sample in samples}
        self._found.update((sample, latent) for sample, latent in kept.items() if latent is not None)
        missing = sorted((sample for sample in samples if kept[sample] is None), key=_bucket)
        for batch in _batches(missing):
            self._progress(len(self._found), len(self._samples))
            pictures = [load_picture(self._root, sample.image, sample.crop) for sample in batch]
            for sample, latent in zip(batch, encode_pictures(self._base, pictures), strict=True):
                self._folder.write(keys[sample], latent)
                self._found[sample] = latent.clone()
        if missing:
            self._folder.trim()

    @cached_property
    def _encoder(self) -> str:
        return _fingerprint(self._base.vae)


def cache_latents(
    base: BaseModel,
    samples: Sequence[Sample],
    *,
    root: Path,
    folder: LatentFolder,
    progress: Callable[[int, int], None],
) -> LatentCache:
    """Such a cache with all of its latents made."""
    found = LatentCache(base, samples, root=root, folder=folder, progress=progress)
    found.encode_all()
    return found


def encode_pictures(base: BaseModel, pictures: list[Tensor]) -> Tensor:
    """Latents (B, 4, height/8, width/8) on the CPU of pixels (3, height, width) in -1…1."""
    with torch.no_grad():
        mean = base.vae.encode(torch.stack(pictures).to(base.device))
        return (mean * base.scale_factor).cpu().contiguous()


def _bucket(sample: Sample) -> tuple[int, int]:
    return sample.image.bucket


def _batches(samples: list[Sample]) -> list[list[Sample]]:
    batches = []
    for bucket, same in groupby(samples, key=lambda sample: sample.image.bucket):
        group = list(same)
        size = max(1, min(16, _PIXELS_AT_ONCE // (bucket[0] * bucket[1])))
        batches += [group[at : at + size] for at in range(0, len(group), size)]
    return batches


def _keys(base: BaseModel, root: Path, samples: Sequence[Sample], encoder: str) -> dict[Sample, str]:
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
