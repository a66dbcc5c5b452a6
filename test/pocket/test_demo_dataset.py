from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pocket.demo_dataset import COSTUME, TRIGGER, write_demo_dataset


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    write_demo_dataset(folder, seed=7)
    return folder


@pytest.fixture(scope="module")
def pictures(folder: Path) -> dict[Path, Image.Image]:
    return {path: Image.open(path) for path in sorted(folder.iterdir()) if path.suffix != ".txt"}


def _tags(path: Path) -> list[str]:
    text = path.with_suffix(".txt").read_bytes().decode("utf-8-sig")
    return [tag.strip() for tag in text.replace("\r\n", " ").split(",")]


def test_it_holds_36_pictures_each_with_a_caption_beside_it(folder: Path, pictures: dict[Path, Image.Image]) -> None:
    assert len(pictures) == 36
    assert len(list(folder.iterdir())) == 72
    for path in pictures:
        assert TRIGGER in _tags(path)


def test_equal_seeds_write_equal_bytes_and_other_seeds_do_not(folder: Path, tmp_path: Path) -> None:
    write_demo_dataset(tmp_path / "again", seed=7)
    write_demo_dataset(tmp_path / "other", seed=8)
    expected = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert {path.name: path.read_bytes() for path in (tmp_path / "again").iterdir()} == expected
    assert {path.name: path.read_bytes() for path in (tmp_path / "other").iterdir()} != expected


def test_formats_sizes_and_aspects_are_mixed(pictures: dict[Path, Image.Image]) -> None:
    assert {path.suffix for path in pictures} == {".png", ".jpg"}
    aspects = [image.width / image.height for image in pictures.values()]
    assert sum(0.8 < aspect < 1.25 for aspect in aspects) >= 24
    assert sum(max(aspect, 1 / aspect) > 3 for aspect in aspects) == 1
    assert len({round(aspect, 1) for aspect in aspects}) >= 4
    assert all(min(image.size) >= 200 and max(image.size) <= 640 for image in pictures.values())


def test_transparent_pictures_hide_colours_that_are_not_white(pictures: dict[Path, Image.Image]) -> None:
    transparent = {path: image for path, image in pictures.items() if image.mode == "RGBA"}
    assert 4 <= len(transparent) <= 5
    for path, image in transparent.items():
        assert "transparent background" in _tags(path)
        pixels = np.asarray(image)
        hidden = pixels[pixels[..., 3] == 0]
        assert len(hidden) > 0.3 * image.width * image.height
        assert (hidden[:, :3].min(axis=1) < 128).all()
    for path in pictures.keys() - transparent.keys():
        assert "transparent background" not in _tags(path)


def test_captions_carry_what_a_booru_leaves_behind(folder: Path, pictures: dict[Path, Image.Image]) -> None:
    everything = [tag for path in pictures for tag in _tags(path)]
    for junk in ("absurdres", "highres", "commentary request", "artist name"):
        assert junk in everything
    assert 3 <= everything.count(COSTUME) <= 6
    assert everything.count("official alternate costume") == everything.count(COSTUME)
    firsts = [_tags(path)[0] for path in pictures]
    assert 5 < firsts.count(TRIGGER) < 31
    captions = [path.read_bytes() for path in folder.glob("*.txt")]
    assert sum(caption.startswith(b"\xef\xbb\xbf") for caption in captions) == 1
    assert sum(b"\r\n" in caption for caption in captions) == 1


def test_exactly_one_picture_has_a_near_duplicate(pictures: dict[Path, Image.Image]) -> None:
    small = {}
    for path, image in pictures.items():
        flat = Image.new("RGBA", image.size, "white")
        flat.alpha_composite(image.convert("RGBA"))
        small[path] = np.asarray(flat.convert("RGB").resize((32, 32), Image.Resampling.BOX)).astype(float)
    paths = list(small)
    close = [
        (a, b) for index, a in enumerate(paths) for b in paths[index + 1 :] if np.abs(small[a] - small[b]).mean() < 4
    ]
    assert len(close) == 1
    assert pictures[close[0][0]].size != pictures[close[0][1]].size
