"""Which part of a picture a step sees."""

import dataclasses
from pathlib import Path
from typing import Any

import torch

from run_folder import write_run
from trainer.dataset.colour_jitter import jittered
from trainer.dataset.latent_cache import cache_latents
from trainer.dataset.latent_folder import LatentFolder
from trainer.dataset.picture_source import PictureSource, training_samples
from trainer.dataset.pictures import load_picture
from trainer.dataset.sample_crop import Crop, centre_crop, training_crops
from trainer.model.base_model import BaseModel
from trainer.plan import Plan, read_plan

WIDE = {"resized": (96, 64), "bucket": (64, 64), "width": 96, "height": 64}


def _plan(folder: Path, base: BaseModel, **settings: Any) -> Plan:  # noqa: ANN401
    return read_plan(write_run(folder, base.path, **settings) / "plan.json")


def _source(base: BaseModel, plan: Plan, folder: Path) -> PictureSource:
    samples = training_samples(plan)
    root, kept = folder / "dataset", LatentFolder(folder / "l")
    return PictureSource(base, plan, cache_latents(base, samples, root=root, folder=kept, progress=lambda *_: None), {})


def test_without_options_a_picture_is_seen_at_its_centre_alone(tmp_path: Path, tiny_base: BaseModel) -> None:
    plan = _plan(tmp_path, tiny_base)
    image = dataclasses.replace(plan.images[2], **WIDE)
    assert training_crops(image, plan.settings) == (centre_crop(image),) == (Crop(16, 0),)


def test_random_crops_are_the_same_in_every_run_and_no_more_than_there_is_room_for(
    tmp_path: Path, tiny_base: BaseModel
) -> None:
    settings = _plan(tmp_path, tiny_base, randomCrops=4, flipAug=True).settings
    image = dataclasses.replace(_plan(tmp_path, tiny_base).images[2], **WIDE)
    crops = training_crops(image, settings)
    assert crops == training_crops(image, settings) and len(crops) == 8
    assert all(0 <= crop.left <= 32 and crop.top == 0 for crop in crops)
    assert [crop.flipped for crop in crops] == [False] * 4 + [True] * 4
    exact = dataclasses.replace(image, resized=(64, 64))
    assert training_crops(exact, dataclasses.replace(settings, flip_aug=False)) == (Crop(0, 0),)


def test_a_crop_shows_its_part_and_a_mirrored_one_the_same_part_mirrored(tmp_path: Path, tiny_base: BaseModel) -> None:
    plan = _plan(tmp_path, tiny_base)
    image = dataclasses.replace(plan.images[3], bucket=(64, 64))  # 128×64
    root = tmp_path / "dataset"
    left, right = (load_picture(root, image, Crop(at, 0)) for at in (0, 64))
    whole = load_picture(root, dataclasses.replace(image, bucket=(128, 64)))
    assert torch.equal(torch.cat([left, right], dim=2), whole)
    assert torch.equal(load_picture(root, image, Crop(0, 0, True)), left.flip(2))


def test_a_step_chooses_by_its_place_and_all_crops_have_their_turn(tmp_path: Path, tiny_base: BaseModel) -> None:
    plan = _plan(tmp_path, tiny_base, flipAug=True)
    source = _source(tiny_base, plan, tmp_path)
    images = [plan.trained_images[0]] * 4
    samples = source.samples(images, (3,))
    assert samples == source.samples(images, (3,))
    seen = {sample.crop for step in range(20) for sample in source.samples(images, (step,))}
    assert seen == set(training_crops(images[0], plan.settings)) and len(seen) == 2
    flipped = next(sample for sample in source.samples(images * 5, (0,)) if sample.crop.flipped)
    expected = tiny_base.vae.encode(load_picture(tmp_path / "dataset", flipped.image).flip(2)[None])[0] * 0.18215
    assert torch.allclose(source.latents([flipped], (0,))[0], expected, atol=1e-5)


def test_a_subset_can_have_it_otherwise(tmp_path: Path, tiny_base: BaseModel) -> None:
    own = {"2_zorp": {"flipAug": True, "captionPrefix": "a photo of", "keepTokens": 3}}
    settings = _plan(tmp_path, tiny_base, subsetSettings=own).settings
    assert (settings.flip_aug, settings.of("2_zorp").flip_aug, settings.of("other").flip_aug) == (False, True, False)
    assert settings.of("2_zorp").caption_prefix == "a photo of" and settings.of("2_zorp").keep_tokens == 3
    assert settings.of("2_zorp").unet_lr == settings.unet_lr


def test_colours_change_now_and_then_a_little_and_by_the_seed_alone(tmp_path: Path, tiny_base: BaseModel) -> None:
    plan = _plan(tmp_path, tiny_base, colorAug=True)
    assert training_samples(plan) == []
    picture = load_picture(tmp_path / "dataset", plan.images[3])
    found = [jittered(picture, seed) for seed in range(200)]
    changed = [pixels for pixels in found if not torch.equal(pixels, picture)]
    assert 40 < len(changed) < 95
    assert all(float((pixels - picture).abs().mean()) < 0.2 and pixels.abs().max() <= 1 for pixels in changed)
    assert torch.equal(jittered(picture, 7), jittered(picture, 7))
    source = PictureSource(tiny_base, plan, {}, {})
    samples = source.samples([plan.trained_images[1]] * 30, (1,))
    latents = source.latents(samples, (1,))
    assert torch.equal(latents, source.latents(samples, (1,)))
    assert 3 < len({tuple(latent.flatten()[:4].tolist()) for latent in latents}) < 30
