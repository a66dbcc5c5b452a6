"""Latents are encoded once and found again by the content of the picture, by any run."""

import dataclasses
import os
from pathlib import Path

import pytest
import torch

from run_folder import write_run
from trainer.commands import Interrupted
from trainer.dataset.latent_cache import LatentCache, cache_latents
from trainer.dataset.latent_folder import LatentFolder
from trainer.dataset.pictures import load_picture
from trainer.dataset.sample_crop import Crop, Sample, centre_samples
from trainer.model.base_model import BaseModel
from trainer.plan import Plan, read_plan


def _plan(folder: Path, base: BaseModel) -> Plan:
    return read_plan(write_run(folder, base.path) / "plan.json")


def test_a_latent_is_the_scaled_mean_and_a_second_run_encodes_nothing(tmp_path: Path, tiny_base: BaseModel) -> None:
    plan = _plan(tmp_path, tiny_base)
    root, samples = tmp_path / "dataset", centre_samples(plan)
    told: list[tuple[int, int]] = []
    latents = cache_latents(
        tiny_base, samples, root=root, folder=LatentFolder(tmp_path / "l"), progress=lambda *at: told.append(at)
    )
    picture = load_picture(root, plan.images[3])
    expected = tiny_base.vae.encode(picture[None])[0] * 0.18215
    assert latents[samples[3]].shape == (4, 8, 16)
    assert torch.allclose(latents[samples[3]], expected, atol=1e-5)
    assert told[0] == (0, 8) and told[-1] == (8, 8)
    told.clear()
    again = cache_latents(
        tiny_base, samples, root=root, folder=LatentFolder(tmp_path / "l"), progress=lambda *at: told.append(at)
    )
    assert told == [(8, 8)]
    assert all(torch.equal(value, again[key]) for key, value in latents.items())
    (root / plan.images[0].id).write_bytes((root / plan.images[1].id).read_bytes())
    changed = cache_latents(
        tiny_base, samples, root=root, folder=LatentFolder(tmp_path / "l"), progress=lambda *_: None
    )
    assert torch.equal(changed[samples[0]], again[samples[1]])


def test_the_key_is_the_content_the_crop_and_the_encoder_but_no_name(tmp_path: Path, tiny_base: BaseModel) -> None:
    plan = _plan(tmp_path, tiny_base)
    root, folder = tmp_path / "dataset", tmp_path / "l"
    image = plan.images[0]

    def encoded(*samples: Sample) -> int:
        before = len(list(folder.glob("*/*")))
        cache_latents(tiny_base, samples, root=root, folder=LatentFolder(folder), progress=lambda *_: None)
        return len(list(folder.glob("*/*"))) - before

    assert encoded(Sample(image, Crop(0, 0))) == 1
    (root / "copy.png").write_bytes((root / image.id).read_bytes())
    assert encoded(Sample(dataclasses.replace(image, id="copy.png", caption="other"), Crop(0, 0))) == 0
    assert encoded(Sample(image, Crop(0, 0, True))) == 1
    with torch.no_grad():
        next(tiny_base.vae.parameters()).add_(1e-3)
    assert encoded(Sample(image, Crop(0, 0))) == 1


def test_what_was_encoded_before_an_interruption_is_kept(tmp_path: Path, tiny_base: BaseModel) -> None:
    samples = centre_samples(_plan(tmp_path, tiny_base))
    root, folder = tmp_path / "dataset", LatentFolder(tmp_path / "l")

    def interrupt(done: int, _: int) -> None:
        if done:
            raise Interrupted("pause")

    with pytest.raises(Interrupted):
        cache_latents(tiny_base, samples, root=root, folder=folder, progress=interrupt)
    told: list[int] = []
    cache_latents(tiny_base, samples, root=root, folder=folder, progress=lambda done, _: told.append(done))
    assert told[0] == 6


def test_pictures_of_a_bucket_are_encoded_when_one_is_first_asked_for(tmp_path: Path, tiny_base: BaseModel) -> None:
    samples = centre_samples(_plan(tmp_path, tiny_base))
    told: list[tuple[int, int]] = []
    cache = LatentCache(
        tiny_base,
        samples,
        root=tmp_path / "dataset",
        folder=LatentFolder(tmp_path / "l"),
        progress=lambda *at: told.append(at),
    )
    assert len(cache) == 8 and not told
    first = cache[samples[3]]
    together = sum(sample.image.bucket == samples[3].image.bucket for sample in samples)
    assert told == [(0, 8)] and len(list((tmp_path / "l").glob("*/*"))) == together < 8
    cache.encode_all()
    assert told[1] == (together, 8) and told[-1] == (8, 8)
    assert cache[samples[3]] is first and list(cache) == samples
    with pytest.raises(KeyError):
        cache[Sample(samples[0].image, Crop(5, 5))]


def test_a_damaged_latent_costs_time_only(tmp_path: Path, tiny_base: BaseModel) -> None:
    samples = centre_samples(_plan(tmp_path, tiny_base))
    root, folder = tmp_path / "dataset", tmp_path / "l"
    first = cache_latents(tiny_base, samples, root=root, folder=LatentFolder(folder), progress=lambda *_: None)
    for path in folder.glob("*/*"):
        path.write_bytes(b"rubbish")
    again = cache_latents(tiny_base, samples, root=root, folder=LatentFolder(folder), progress=lambda *_: None)
    assert all(torch.equal(value, again[key]) for key, value in first.items())


def test_the_folder_keeps_its_size_and_lets_go_what_was_not_asked_for_the_longest(tmp_path: Path) -> None:
    keys = [f"{index:02d}" * 32 for index in range(6)]
    old = LatentFolder(tmp_path)
    for age, key in enumerate(keys):
        old.write(key, torch.full((4, 8, 8), float(age)))
        path = tmp_path / key[:2] / f"{key}.safetensors"
        os.utime(path, (1000 + age, 1000 + age))
    size = path.stat().st_size
    run = LatentFolder(tmp_path, most_bytes=3 * size)
    assert run.read(keys[0]) is not None
    run.trim()
    left = {key for key in keys if LatentFolder(tmp_path).read(key) is not None}
    assert left == {keys[0], keys[4], keys[5]}
    small = LatentFolder(tmp_path, most_bytes=0)
    assert small.read(keys[5]) is not None
    small.trim()
    assert [key for key in keys if LatentFolder(tmp_path).read(key) is not None] == [keys[5]]
