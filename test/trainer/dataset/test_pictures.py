"""Pictures as the autoencoder sees them."""

from pathlib import Path

import pytest
import torch
from PIL import Image

from trainer.dataset.pictures import load_picture
from trainer.failure import Failure
from trainer.plan import PlanImage


def _image(width: int, height: int, **changes: tuple[int, int]) -> PlanImage:
    size = (width, height)
    facts = {"bucket": size, "resized": size, **changes}
    return PlanImage("a.png", ".", width, height, facts["bucket"], facts["resized"], 0.0, 1, "", 0, False)


def test_transparency_becomes_white_in_every_mode(tmp_path: Path) -> None:
    clear = Image.new("RGBA", (8, 8), (255, 0, 0, 0))
    for picture in (clear, clear.convert("LA"), clear.quantize(4)):
        picture.save(tmp_path / "a.png")
        assert torch.allclose(load_picture(tmp_path, _image(8, 8)), torch.ones(3, 8, 8))


def test_the_picture_is_turned_upright_by_its_exif(tmp_path: Path) -> None:
    picture = Image.new("RGB", (16, 8), "black")
    picture.paste("white", (0, 0, 8, 8))
    exif = Image.Exif()
    exif[0x0112] = 6
    picture.save(tmp_path / "a.png", exif=exif)
    pixels = load_picture(tmp_path, _image(8, 16))
    assert pixels.shape == (3, 16, 8)
    assert pixels[:, :8].mean() == 1 and pixels[:, 8:].mean() == -1


def test_it_is_scaled_and_cropped_at_the_centre(tmp_path: Path) -> None:
    picture = Image.new("RGB", (48, 32), "red")
    picture.paste("blue", (8, 0, 40, 32))
    picture.save(tmp_path / "a.png")
    pixels = load_picture(tmp_path, _image(48, 32, resized=(24, 16), bucket=(16, 16)))
    assert pixels.shape == (3, 16, 16)
    assert pixels[2, :, 2:-2].min() > 0.9 and pixels[0, :, 2:-2].max() < -0.9


@pytest.mark.parametrize("mode", ["L", "1", "CMYK", "I;16"])
def test_other_modes_become_rgb(tmp_path: Path, mode: str) -> None:
    name = "a.tif" if mode == "CMYK" else "a.png"
    Image.new(mode, (8, 8)).save(tmp_path / name)
    (tmp_path / name).rename(tmp_path / "a.png")
    assert load_picture(tmp_path, _image(8, 8)).shape == (3, 8, 8)


def test_a_picture_that_is_gone_broken_or_changed_is_named(tmp_path: Path) -> None:
    for content, code in ((None, "crashed"), (b"no picture", "crashed"), ("other size", "bad_plan")):
        if isinstance(content, bytes):
            (tmp_path / "a.png").write_bytes(content)
        elif content:
            Image.new("RGB", (16, 8)).save(tmp_path / "a.png")
        with pytest.raises(Failure, match=r"a\.png") as caught:
            load_picture(tmp_path, _image(8, 8))
        assert caught.value.code == code


def test_a_truncated_jpeg_is_named(tmp_path: Path) -> None:
    Image.effect_noise((64, 64), 90).convert("RGB").save(tmp_path / "b.jpg")
    (tmp_path / "a.png").write_bytes((tmp_path / "b.jpg").read_bytes()[:1500])
    with pytest.raises(Failure, match="can't be read"):
        load_picture(tmp_path, _image(64, 64))
