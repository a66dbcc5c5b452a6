"""Latents are encoded once and found again by the content of the picture."""

from pathlib import Path

import pytest
import torch

from run_folder import write_run
from trainer.base_model import BaseModel
from trainer.commands import Interrupted
from trainer.latent_cache import cache_latents
from trainer.pictures import load_picture
from trainer.plan import read_plan


def test_a_latent_is_the_scaled_mean_and_a_second_run_encodes_nothing(tmp_path: Path, tiny_base: BaseModel) -> None:
    plan = read_plan(write_run(tmp_path, tiny_base.path) / "plan.json")
    root, file = tmp_path / "dataset", tmp_path / "latents.safetensors"
    told: list[tuple[int, int]] = []
    latents = cache_latents(tiny_base, plan.images, root=root, file=file, progress=lambda *at: told.append(at))
    picture = load_picture(root, plan.images[3])
    expected = tiny_base.vae.encode(picture[None])[0] * 0.18215
    assert latents[plan.images[3].id].shape == (4, 8, 16)
    assert torch.allclose(latents[plan.images[3].id], expected, atol=1e-5)
    assert told[0] == (0, 8) and told[-1] == (8, 8)
    told.clear()
    again = cache_latents(tiny_base, plan.images, root=root, file=file, progress=lambda *at: told.append(at))
    assert told == [(8, 8)]
    assert all(torch.equal(value, again[key]) for key, value in latents.items())
    (root / plan.images[0].id).write_bytes((root / plan.images[1].id).read_bytes())
    changed = cache_latents(tiny_base, plan.images, root=root, file=file, progress=lambda *_: None)
    assert torch.equal(changed[plan.images[0].id], again[plan.images[1].id])


def test_what_was_encoded_before_an_interruption_is_kept(tmp_path: Path, tiny_base: BaseModel) -> None:
    plan = read_plan(write_run(tmp_path, tiny_base.path) / "plan.json")
    root, file = tmp_path / "dataset", tmp_path / "latents.safetensors"

    def interrupt(done: int, _: int) -> None:
        if done:
            raise Interrupted("pause")

    with pytest.raises(Interrupted):
        cache_latents(tiny_base, plan.images, root=root, file=file, progress=interrupt)
    told: list[int] = []
    cache_latents(tiny_base, plan.images, root=root, file=file, progress=lambda done, _: told.append(done))
    assert told[0] == 6


def test_a_damaged_cache_costs_time_only(tmp_path: Path, tiny_base: BaseModel) -> None:
    plan = read_plan(write_run(tmp_path, tiny_base.path) / "plan.json")
    file = tmp_path / "latents.safetensors"
    file.write_bytes(b"rubbish")
    assert (
        len(cache_latents(tiny_base, plan.images, root=tmp_path / "dataset", file=file, progress=lambda *_: None)) == 8
    )
