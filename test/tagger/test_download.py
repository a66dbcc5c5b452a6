import json
import threading
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from loopback_hub import Hub, running
from tagger.download import download
from tagger.requests import Download
from trainer.failure import Failure

MODEL = bytes(range(256)) * 8000
TAGS = b"tag_id,name,category,count\n"
REPOSITORY = "some/tagger"
Captured = pytest.CaptureFixture[str]


def hub_with(**how: Any) -> Hub:  # noqa: ANN401
    files = {
        f"{REPOSITORY}/model.onnx": MODEL,
        f"{REPOSITORY}/selected_tags.csv": TAGS,
        f"{REPOSITORY}/v1/model.onnx": b"other",
    }
    return Hub(files, {f"{REPOSITORY}/model.onnx"}, **how)


def request_to(hub: Hub, folder: Path, files: tuple[str, ...] = ("model.onnx", "selected_tags.csv")) -> Download:
    return Download(hub.endpoint, REPOSITORY, files, str(folder), retry_seconds=0.01)


def fetch(request: Download, capfd: Captured, stop: threading.Event | None = None) -> list[dict[str, Any]]:
    capfd.readouterr()
    download(request, stop or threading.Event())
    return [json.loads(line) for line in capfd.readouterr().out.splitlines()]


def test_files_come_whole_with_progress_and_checked_hashes(tmp_path: Path, capfd: Captured) -> None:
    with running(hub_with()) as hub:
        events = fetch(request_to(hub, tmp_path / "new"), capfd)
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["model.onnx", "selected_tags.csv"]
    assert (tmp_path / "new/model.onnx").read_bytes() == MODEL
    assert (tmp_path / "new/selected_tags.csv").read_bytes() == TAGS
    assert [event["type"] for event in events if event["type"] != "downloading"] == ["downloaded", "downloaded", "done"]
    downloaded = next(event for event in events if event["type"] == "downloaded")
    assert (downloaded["file"], downloaded["bytes"]) == ("model.onnx", len(MODEL))
    assert downloaded["hash"] == sha256(MODEL).hexdigest()
    assert all("Mozilla" not in agent and "train-lora" in agent for agent in hub.agents)


def test_a_file_in_a_folder_of_the_hub_lies_by_its_last_name(tmp_path: Path, capfd: Captured) -> None:
    with running(hub_with()) as hub:
        fetch(request_to(hub, tmp_path, ("v1/model.onnx",)), capfd)
    assert (tmp_path / "model.onnx").read_bytes() == b"other"


def test_a_connection_that_is_cut_off_goes_on_where_it_broke(tmp_path: Path, capfd: Captured) -> None:
    with running(hub_with(cut=[700_000, 300_000, 1])) as hub:
        fetch(request_to(hub, tmp_path, ("model.onnx",)), capfd)
    assert (tmp_path / "model.onnx").read_bytes() == MODEL
    starts = [int(asked.removeprefix("bytes=").rstrip("-") or 0) for asked in hub.ranges]
    assert starts == sorted(starts)
    assert starts[0] == 0 < starts[1] < starts[-1]


def test_a_hub_that_gives_no_parts_is_asked_for_the_whole_again(tmp_path: Path, capfd: Captured) -> None:
    with running(hub_with(cut=[700_000], parts=False)) as hub:
        fetch(request_to(hub, tmp_path, ("model.onnx",)), capfd)
    assert (tmp_path / "model.onnx").read_bytes() == MODEL


def test_a_stop_keeps_what_has_come_and_the_next_call_goes_on_from_there(tmp_path: Path, capfd: Captured) -> None:
    stop = threading.Event()
    with running(hub_with(cut=[900_000])) as hub:
        request = Download(hub.endpoint, REPOSITORY, ("model.onnx",), str(tmp_path), retry_seconds=30)
        threading.Timer(0.5, stop.set).start()
        assert fetch(request, capfd, stop)[-1]["type"] == "stopped"
        assert not (tmp_path / "model.onnx").exists()
        fetch(request_to(hub, tmp_path, ("model.onnx",)), capfd)
    assert (tmp_path / "model.onnx").read_bytes() == MODEL
    assert hub.ranges[1].startswith("bytes=") and hub.ranges[1] != "bytes=0-"


def test_what_came_of_another_version_of_the_file_is_not_gone_on_with(tmp_path: Path, capfd: Captured) -> None:
    with running(hub_with()) as hub:
        (tmp_path / ".model.onnx.part").write_bytes(b"old" * 100)
        (tmp_path / ".model.onnx.part.json").write_text(json.dumps({"hash": "0" * 64, "size": len(MODEL)}))
        fetch(request_to(hub, tmp_path, ("model.onnx",)), capfd)
    assert hub.ranges == [""]
    assert (tmp_path / "model.onnx").read_bytes() == MODEL


def test_one_answer_with_a_wrong_hash_is_thrown_away_and_asked_for_again(tmp_path: Path, capfd: Captured) -> None:
    with running(hub_with(lies=[MODEL[:-1] + b"!"])) as hub:
        fetch(request_to(hub, tmp_path, ("model.onnx",)), capfd)
    assert (tmp_path / "model.onnx").read_bytes() == MODEL


@pytest.mark.parametrize("lie", [MODEL[:-1] + b"!", MODEL + b"more"])
def test_wrong_bytes_again_are_a_failure_that_leaves_nothing(tmp_path: Path, capfd: Captured, lie: bytes) -> None:
    with running(hub_with(lies=[lie, lie, lie])) as hub, pytest.raises(Failure) as refused:
        fetch(request_to(hub, tmp_path, ("model.onnx",)), capfd)
    assert refused.value.code == "download_failed"
    assert sha256(MODEL).hexdigest() in refused.value.message
    assert list(tmp_path.iterdir()) == []


def test_an_older_file_stays_until_the_new_one_is_whole(tmp_path: Path, capfd: Captured) -> None:
    (tmp_path / "model.onnx").write_bytes(b"old")
    with running(hub_with(lies=[b"x" * len(MODEL)] * 2)) as hub, pytest.raises(Failure):
        fetch(request_to(hub, tmp_path, ("model.onnx",)), capfd)
    assert (tmp_path / "model.onnx").read_bytes() == b"old"


def test_a_file_that_is_there_already_is_not_fetched_again(tmp_path: Path, capfd: Captured) -> None:
    (tmp_path / "model.onnx").write_bytes(MODEL)
    with running(hub_with()) as hub:
        assert fetch(request_to(hub, tmp_path, ("model.onnx",)), capfd)[-1]["type"] == "done"
    assert hub.ranges == []


def test_a_busy_hub_is_waited_for(tmp_path: Path, capfd: Captured) -> None:
    with running(hub_with(statuses=[503, 429], retry_after="0")) as hub:
        fetch(request_to(hub, tmp_path, ("selected_tags.csv",)), capfd)
    assert (tmp_path / "selected_tags.csv").read_bytes() == TAGS


def test_a_hub_that_stays_busy_is_given_up_in_a_sentence(tmp_path: Path, capfd: Captured) -> None:
    with running(hub_with(statuses=[503] * 50)) as hub, pytest.raises(Failure) as refused:
        fetch(request_to(hub, tmp_path, ("selected_tags.csv",)), capfd)
    assert refused.value.code == "download_failed"
    assert "503" in refused.value.message


@pytest.mark.parametrize(("status", "words"), [(401, "login"), (403, "refuses"), (404, "no such file")])
def test_a_refusal_is_told_at_once(tmp_path: Path, capfd: Captured, status: int, words: str) -> None:
    with running(hub_with(statuses=[status])) as hub, pytest.raises(Failure) as refused:
        fetch(request_to(hub, tmp_path, ("model.onnx",)), capfd)
    assert words in refused.value.message
    assert hub.ranges == []


def test_a_hub_that_tells_no_hash_gets_no_trust(tmp_path: Path, capfd: Captured) -> None:
    with running(hub_with(hashes=False)) as hub, pytest.raises(Failure) as refused:
        fetch(request_to(hub, tmp_path, ("selected_tags.csv",)), capfd)
    assert "hash" in refused.value.message


def test_nobody_at_the_address_is_a_failure_in_a_sentence(tmp_path: Path, capfd: Captured) -> None:
    with running(hub_with()) as hub:
        gone = request_to(hub, tmp_path)
    with pytest.raises(Failure) as refused:
        fetch(gone, capfd)
    assert refused.value.code == "download_failed"
    assert "HF_ENDPOINT" in refused.value.message


@pytest.mark.parametrize("files", [(), ("..",), ("a/.hidden",), ("a/model.onnx", "b/model.onnx")])
def test_files_without_plain_names_of_their_own_are_refused(tmp_path: Path, files: tuple[str, ...]) -> None:
    with pytest.raises(Failure) as refused:
        Download("http://127.0.0.1:9", REPOSITORY, files, str(tmp_path))
    assert refused.value.code == "bad_request"
