"""A WebUI made of stand-ins, and a server on a real socket that plays Node's side."""
# ruff: noqa: E402

import sys
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[2]
sys.path[:0] = [str(HERE / "stand_ins"), str(HERE), str(REPOSITORY / "extension")]

import pytest
from modules import call_queue, fifo_lock, paths, processing, progress, sd_models, shared
from node_side import NodeSide, queue_is_free, until
from train_lora_webui.bridge import host_session, lease, loras, queue_turn, runs
from train_lora_webui.bridge.host_connection import HostConnection


@pytest.fixture(autouse=True)
def webui(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A WebUI with one checkpoint in memory and an empty LoRA folder; everything is as new for each test."""
    data = tmp_path / "webui"
    for folder in ("models/Lora", "models/Stable-diffusion", "samples", "grids"):
        (data / folder).mkdir(parents=True)
    monkeypatch.setattr(paths, "data_path", str(data))
    monkeypatch.setattr(paths, "models_path", str(data / "models"))
    monkeypatch.setattr(shared, "opts", shared.Options())
    monkeypatch.setattr(shared, "state", shared.State())
    monkeypatch.setattr(shared, "demo", None)
    monkeypatch.setattr(shared.cmd_opts, "lora_dir", str(data / "models" / "Lora"))
    monkeypatch.setattr(shared.cmd_opts, "freeze_settings", False)
    shared.opts.data.update(outdir_txt2img_grids=str(data / "grids"), outdir_txt2img_samples=str(data / "samples"))
    monkeypatch.setattr(call_queue, "queue_lock", fifo_lock.FIFOLock())
    monkeypatch.setattr(progress, "current_task", None)
    progress.pending_tasks.clear()
    monkeypatch.setattr(processing, "trouble", type(processing.trouble)(step_seconds=0.0, before_step=None))
    sd_models.checkpoints_list.clear()
    sd_models.checkpoint_aliases.clear()
    folder = data / "models" / "Stable-diffusion"
    sd_models.CheckpointInfo(str(folder / "pocket.safetensors"), "0123456789" + "a" * 54).register()
    sd_models.CheckpointInfo(str(folder / "other.safetensors")).register()
    monkeypatch.setattr(sd_models, "model_data", sd_models.SdModelData())
    sd_models.reload_model_weights()
    monkeypatch.setattr(lease, "WATCH_SECONDS", 0.02)
    monkeypatch.setattr(host_session, "WATCH_SECONDS", 0.2)
    monkeypatch.setattr(loras, "_last_full_scan", float("-inf"))
    monkeypatch.setattr(runs, "SCAN_SECONDS", 0.0)
    runs.set_runs([])
    monkeypatch.setitem(sys.modules, "networks", LoraExtension(data / "models" / "Lora"))
    yield data
    until(queue_is_free)
    until(lambda: not queue_turn.own_tasks and queue_turn._own_waiters == 0)


class LoraExtension:
    """The WebUI's `networks` module of 1.10: a whole scan empties the list first, one by names only adds."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.available_networks = {}
        self.loaded_networks = []
        self.networks_in_memory = {}
        self.scans = []

    def update_available_networks_by_names(self, names: list[str] | None) -> None:
        self.scans.append(list(names))
        self._read(names)

    def list_available_networks(self) -> None:
        self.scans.append(None)
        self.available_networks.clear()
        self._read(None)

    def _read(self, names: list[str] | None) -> None:
        for file in sorted(self.folder.rglob("*.safetensors")):
            if names is None or file.stem in names:
                self.available_networks[file.stem] = file


@pytest.fixture
def node() -> Iterator[NodeSide]:
    with NodeSide() as side:
        yield side


@pytest.fixture
def host(node: NodeSide) -> Iterator[HostConnection]:
    """The bridge's connection, said hello to `node`."""
    connection = HostConnection()
    connection.start(lambda: (node.port, node.secret))
    node.wait_for("hello")
    yield connection
    connection.stop()
