import json
import subprocess
import sys
import threading
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from onnx_bytes import mean_colour_tagger, pixel_tagger
from tagger.preprocess import preprocess
from tagger.requests import Score
from tagger.score_pictures import sparse
from tagger_files import BIAS, WEIGHTS, events_of, scores_in, sigmoid, write_picture, write_wd
from trainer.failure import Failure

Captured = pytest.CaptureFixture[str]


def wd_request(folder: Path, onnx: bytes, images: tuple[str, ...]) -> Score:
    model, labels = write_wd(folder / "tagger", onnx)
    return Score(model=model, labels=labels, family="wd", root=str(folder), images=images, device="cpu")


def test_a_wd_tagger_scores_each_picture_by_its_own_content(tmp_path: Path, capfd: Captured) -> None:
    images = (write_picture(tmp_path / "red.png", (200, 0, 0)), write_picture(tmp_path / "blue.png", (0, 0, 250)))
    told, red, blue, progress, done = events_of(wd_request(tmp_path, mean_colour_tagger(WEIGHTS, BIAS), images), capfd)
    assert (told["type"], told["side"], told["channelsFirst"], told["device"]) == ("tagger", 8, False, "cpu")
    assert told["labels"][2:4] == [["red_hat", "general"], ["comma,_tag", "general"]]
    # The third channel is red, because this family is shown blue, green, red.
    expected = {0: sigmoid(2), 1: sigmoid(-2), 2: sigmoid(8), 4: sigmoid(1)}
    assert scores_in(red) == {index: round(score * 255) for index, score in expected.items()}
    assert scores_in(blue) == {0: round(sigmoid(2) * 255), 1: round(sigmoid(-2) * 255), 3: round(sigmoid(4) * 255)}
    assert red["picture"] == sha256((tmp_path / "red.png").read_bytes()).hexdigest()
    assert (progress["done"], progress["total"], done["type"], done["pictures"]) == (2, 2, "done", 2)


def test_what_a_model_is_shown_are_exactly_the_preprocessed_pixels(tmp_path: Path, capfd: Captured) -> None:
    pixels = np.random.default_rng(5).integers(20, 256, (6, 9, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    names = "tag_id,name,category\n" + "".join(f"{index},tag{index},0\n" for index in range(48))
    model, labels = write_wd(tmp_path / "tagger", pixel_tagger(4, 1 / 255), names)
    request = Score(model, labels, "wd", str(tmp_path), ("a.png",), "cpu")
    scored = events_of(request, capfd)[1]
    expected = preprocess(Image.fromarray(pixels), "wd", 4).reshape(-1)
    assert scores_in(scored) == {index: int(value) for index, value in enumerate(expected) if value / 255 > 0.05}


def test_a_cl_tagger_gets_channels_first_and_its_numbers_become_scores(tmp_path: Path, capfd: Captured) -> None:
    write_picture(tmp_path / "a.png", (255, 0, 51))
    (tmp_path / "model_optimized.onnx").write_bytes(
        mean_colour_tagger([[1, 0, 0], [0, 1, 0], [0, 0, 1]], [0, 0, 2], channels_first=True, sigmoid=False)
    )
    mapping = {str(i): {"tag": tag, "category": "General"} for i, tag in enumerate(["b", "g", "r"])}
    (tmp_path / "tag_mapping.json").write_text(json.dumps(mapping), encoding="utf-8")
    request = Score(
        str(tmp_path / "model_optimized.onnx"),
        str(tmp_path / "tag_mapping.json"),
        "cl",
        str(tmp_path),
        ("a.png",),
        "cpu",
    )
    told, scored, *_ = events_of(request, capfd)
    assert told["channelsFirst"] is True
    expected = [sigmoid(51 / 127.5 - 1), sigmoid(-1), sigmoid(3)]
    assert scores_in(scored) == {index: round(score * 255) for index, score in enumerate(expected)}


def test_a_deepdanbooru_is_shown_red_green_blue_from_zero_to_one(tmp_path: Path, capfd: Captured) -> None:
    write_picture(tmp_path / "a.png", (255, 0, 51))
    (tmp_path / "model.onnx").write_bytes(mean_colour_tagger(np.eye(3).tolist(), [0, 0, 0], sigmoid=False))
    (tmp_path / "tags.txt").write_text("red\ngreen\nblue\n", encoding="utf-8")
    request = Score(
        str(tmp_path / "model.onnx"), str(tmp_path / "tags.txt"), "deepdanbooru", str(tmp_path), ("a.png",), "cpu"
    )
    assert scores_in(events_of(request, capfd)[1]) == {0: 255, 2: 51}


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("batch", [1, 3, "N"])
def test_any_batch_that_a_model_takes_gives_the_same_scores(
    tmp_path: Path, capfd: Captured, batch: int | str, half: bool
) -> None:
    images = tuple(write_picture(tmp_path / f"{shade:03}.png", (shade, 0, 0)) for shade in range(0, 250, 50))
    events = events_of(wd_request(tmp_path, mean_colour_tagger(WEIGHTS, BIAS, batch=batch, half=half), images), capfd)
    scored = [event for event in events if event["type"] == "scored"]
    assert [event["image"] for event in scored] == list(images)
    for event, shade in zip(scored, range(0, 250, 50), strict=True):
        expected = round(sigmoid(0.1 * shade - 12) * 255)
        assert abs(scores_in(event).get(2, 0) - expected) <= (1 if half else 0) or expected < 13


def test_a_side_that_the_model_leaves_open_is_the_family_s(tmp_path: Path, capfd: Captured) -> None:
    write_picture(tmp_path / "a.png", (1, 2, 3))
    told = events_of(wd_request(tmp_path, mean_colour_tagger(WEIGHTS, BIAS, side="side"), ("a.png",)), capfd)[0]
    assert told["side"] == 448


def test_raw_numbers_of_a_wd_export_become_scores_too(tmp_path: Path, capfd: Captured) -> None:
    write_picture(tmp_path / "a.png", (200, 0, 0))
    events = events_of(wd_request(tmp_path, mean_colour_tagger(WEIGHTS, BIAS, sigmoid=False), ("a.png",)), capfd)
    assert scores_in(events[1])[2] == round(sigmoid(8) * 255)


def test_pictures_that_can_t_be_read_are_told_and_the_others_are_scored(tmp_path: Path, capfd: Captured) -> None:
    write_picture(tmp_path / "good.png", (200, 0, 0), (64, 64))
    (tmp_path / "cut.png").write_bytes((tmp_path / "good.png").read_bytes()[:90])
    (tmp_path / "text.png").write_text("no picture")
    images = ("cut.png", "gone.png", "good.png", "text.png")
    events = events_of(wd_request(tmp_path, mean_colour_tagger(WEIGHTS, BIAS), images), capfd)
    assert [event["image"] for event in events if event["type"] == "unreadable"] == ["cut.png", "gone.png", "text.png"]
    assert [event["image"] for event in events if event["type"] == "scored"] == ["good.png"]
    assert (events[-1]["type"], events[-1]["pictures"]) == ("done", 4)


def test_a_turned_photo_is_scored_upright(tmp_path: Path, capfd: Captured) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    left_red = np.zeros((4, 4, 3), np.uint8)
    left_red[:, :2] = (255, 0, 0)
    Image.fromarray(left_red).save(tmp_path / "a.png", exif=exif)
    names = "tag_id,name,category\n" + "".join(f"{index},tag{index},0\n" for index in range(48))
    model, labels = write_wd(tmp_path / "tagger", pixel_tagger(4, 1 / 255), names)
    scored = events_of(Score(model, labels, "wd", str(tmp_path), ("a.png",), "cpu"), capfd)[1]
    # Turned clockwise, what was left is on top: the red channel of the first eight pixels.
    assert scores_in(scored) == {3 * pixel + 2: 255 for pixel in range(8)}


@pytest.mark.parametrize(
    ("onnx", "expected"),
    [
        (b"version https://example/spec/v1\noid sha256:0\n", "ONNX format"),
        (mean_colour_tagger([[0.0] * 3] * 3, [0.0] * 3), "5 outputs"),
    ],
)
def test_a_file_that_is_no_such_tagger_is_refused_in_a_sentence(tmp_path: Path, onnx: bytes, expected: str) -> None:
    with pytest.raises(Failure) as refused:
        events_of_nothing(wd_request(tmp_path, onnx, ()))
    assert refused.value.code == "tagger_unsupported"
    assert expected in refused.value.message


def test_a_tagger_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    request = wd_request(tmp_path, mean_colour_tagger(WEIGHTS, BIAS), ())
    with pytest.raises(Failure) as refused:
        events_of_nothing(replace(request, model=str(tmp_path / "gone.onnx")))
    assert refused.value.code == "tagger_missing"


def events_of_nothing(request: Score) -> None:
    from tagger.score_pictures import score_pictures

    score_pictures(request, threading.Event())


def test_only_scores_above_a_twentieth_are_kept_with_their_index_and_a_byte() -> None:
    scores = np.zeros(70_000, np.float32)
    scores[[0, 1, 69_999]] = [0.05, 0.051, 1.0]
    assert scores_in({"scores": sparse(scores)}) == {1: 13, 69_999: 255}


def test_a_stop_ends_it_after_the_batch_and_says_so(tmp_path: Path, capfd: Captured) -> None:
    images = tuple(write_picture(tmp_path / f"{index}.png", (index, 0, 0)) for index in range(9))
    stop = threading.Event()
    stop.set()
    events = events_of(wd_request(tmp_path, mean_colour_tagger(WEIGHTS, BIAS), images), capfd, stop)
    assert (events[-1]["type"], events[-1]["pictures"]) == ("stopped", 0)


@pytest.mark.parametrize("how", ["line", "close"])
def test_the_process_ends_when_it_is_told_to_or_its_server_is_gone(tmp_path: Path, how: str) -> None:
    name = write_picture(tmp_path / "a.png", (9, 9, 9), (1500, 1500))
    request = wd_request(tmp_path, mean_colour_tagger(WEIGHTS, BIAS), (name,) * 2000)
    (tmp_path / "request.json").write_text(json.dumps({"task": "score", **wire(request)}), encoding="utf-8")
    with subprocess.Popen(
        [sys.executable, "-m", "tagger", str(tmp_path / "request.json")],
        cwd=Path(__file__).parents[2] / "trainer-py",
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin and process.stdout
        while json.loads(process.stdout.readline())["type"] != "progress":
            pass
        if how == "line":
            process.stdin.write('{"type":"stop"}\n')
            process.stdin.flush()
        else:
            process.stdin.close()
        *_, last = process.stdout.readlines()
        assert process.wait(20) == 0
    stopped = json.loads(last)
    assert stopped["type"] == "stopped"
    assert 0 < stopped["pictures"] < 2000


def test_the_process_says_its_failure_as_an_event(tmp_path: Path) -> None:
    (tmp_path / "request.json").write_text('{"task":"score","model":3}', encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "tagger", str(tmp_path / "request.json")],
        cwd=Path(__file__).parents[2] / "trainer-py",
        stdin=subprocess.PIPE,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    failed = json.loads(done.stdout)
    assert (failed["type"], failed["code"]) == ("failed", "bad_request")
    assert "Traceback" not in failed["message"]


def wire(request: Score) -> dict[str, object]:
    return {
        "model": request.model,
        "labels": request.labels,
        "family": request.family,
        "root": request.root,
        "images": list(request.images),
        "device": request.device,
    }
