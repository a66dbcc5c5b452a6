"""Mask files and alpha channels as shares of the loss."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from run_folder import write_run
from trainer.dataset.masks import load_masks
from trainer.plan import Plan, read_plan


def _plan(folder: Path, **settings: Any) -> Plan:  # noqa: ANN401
    return read_plan(write_run(folder, Path("m"), **settings) / "plan.json")


def test_a_mask_file_is_scaled_and_cropped_like_its_picture(tmp_path: Path) -> None:
    plan = _plan(tmp_path, maskedLoss=True)
    image = dataclasses.replace(plan.trained_images[0], mask="2_zorp/masks/2.png", resized=(96, 64))
    pixels = np.zeros((32, 32), np.uint8)  # half the picture's size
    pixels[:, 16:] = 255
    path = tmp_path / "dataset" / image.mask
    path.parent.mkdir()
    Image.fromarray(pixels).save(path)
    plan = dataclasses.replace(plan, images=(image, *plan.images[3:]), steps_per_epoch=plan.steps_per_epoch)
    masks = load_masks(tmp_path / "dataset", plan)
    (sample,) = masks
    assert sample.image == image
    mask = masks[sample]
    assert mask.shape == (1, 8, 8)
    assert float(mask[..., :3].max()) == 0 and float(mask[..., 5:].min()) == 1


def test_an_alpha_channel_is_a_mask_where_it_is_asked_for(tmp_path: Path) -> None:
    plan = _plan(tmp_path, alphaMask=True, flipAug=True)
    image = plan.trained_images[1]
    picture = Image.open(tmp_path / "dataset" / image.id).convert("RGBA")
    alpha = np.full(picture.size[::-1], 255, np.uint8)
    alpha[:8, :8] = 0
    alpha[8:16, :8] = 128
    picture.putalpha(Image.fromarray(alpha))
    picture.save(tmp_path / "dataset" / image.id)
    masks = load_masks(tmp_path / "dataset", plan)
    straight, flipped = masks.values()
    assert [sample.crop.flipped for sample in masks] == [False, True]
    assert straight[0, 0, 0] == 0 and abs(float(straight[0, 1, 0]) - 128 / 255) < 1e-6
    assert float(straight.sum()) > torch.numel(straight) - 2
    assert torch.equal(flipped, straight.flip(2))
    assert load_masks(tmp_path / "dataset", _plan(tmp_path / "off")) == {}
