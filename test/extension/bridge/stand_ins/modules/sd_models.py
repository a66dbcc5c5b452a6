# ruff: noqa: ANN001, ANN201, PTH119, PTH122
# The signatures are those of the WebUI.
"""Checkpoints, and a model that is on `cpu` or `gpu`; as in 1.7 and later, an unloaded one stays away by itself."""

import os
import threading

from modules import devices

checkpoints_list = {}
checkpoint_aliases = {}


class CheckpointInfo:
    def __init__(self, filename, sha256=None) -> None:
        self.filename = filename
        self.name = os.path.basename(filename)
        self.name_for_extra = os.path.splitext(self.name)[0]
        self.sha256 = sha256
        self.shorthash = sha256[:10] if sha256 else None
        self.title = self.name if self.shorthash is None else f"{self.name} [{self.shorthash}]"

    def register(self) -> None:
        checkpoints_list[self.title] = self
        for alias in (self.title, self.name, self.name_for_extra, self.shorthash):
            if alias:
                checkpoint_aliases[alias] = self


class Model:
    """`fails` holds exceptions that the next moves raise, one each."""

    def __init__(self, info, lowvram=False) -> None:
        self.sd_checkpoint_info = info
        self.device = "gpu"
        self.lowvram = lowvram
        self.fails = []

    def to(self, device) -> None:
        if self.fails:
            self.device = "half"
            raise self.fails.pop(0)
        self.device = device


class SdModelData:
    def __init__(self) -> None:
        self.sd_model = None
        self.loaded_sd_models = []
        self.was_loaded_at_least_once = False
        self.lock = threading.Lock()
        self.loads = 0

    def get_sd_model(self):
        if self.sd_model is None and not self.was_loaded_at_least_once:
            with self.lock:
                reload_model_weights()
        return self.sd_model


model_data = SdModelData()


def send_model_to_cpu(model) -> None:
    if model is not None:
        model.to("cpu")
    devices.torch_gc()


def send_model_to_device(model) -> None:
    if not model.lowvram:
        model.to("gpu")


def unload_model_weights(sd_model=None, info=None) -> None:
    send_model_to_cpu(sd_model or model_data.sd_model)


def reload_model_weights(sd_model=None, info=None):
    """Returns at once for the checkpoint that is loaded, wherever its weights are: the trap of giving it back."""
    from modules import shared

    wanted = info or checkpoint_aliases.get(shared.opts.sd_model_checkpoint) or next(iter(checkpoints_list.values()))
    present = model_data.sd_model
    if present is not None and present.sd_checkpoint_info.filename == wanted.filename:
        return present
    kept = next((m for m in model_data.loaded_sd_models if m.sd_checkpoint_info.filename == wanted.filename), None)
    if kept is not None:
        send_model_to_device(kept)
    model_data.loads += kept is None
    model_data.sd_model = kept or Model(wanted)
    model_data.was_loaded_at_least_once = True
    model_data.loaded_sd_models = [model_data.sd_model]
    return model_data.sd_model
