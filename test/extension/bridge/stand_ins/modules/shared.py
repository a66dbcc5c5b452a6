# ruff: noqa: ANN001, ANN201, ANN202, ANN204
# The signatures are those of the WebUI.
"""Options, command line and state. `sd_model` loads a model when it is asked for, as the real one does."""

import time
from types import SimpleNamespace


class OptionInfo:
    def __init__(self, default, infotext=None) -> None:
        self.default = default
        self.infotext = infotext


OPTIONS = {
    "sd_model_checkpoint": OptionInfo("pocket.safetensors [0123456789]", "Model hash"),
    "CLIP_stop_at_last_layers": OptionInfo(1, "Clip skip"),
    "randn_source": OptionInfo("GPU", "RNG"),
    "sd_vae_encode_method": OptionInfo("Full", "VAE Encoder"),
    "sd_vae_decode_method": OptionInfo("Full", "VAE Decoder"),
    "emphasis": OptionInfo("Original", "Emphasis"),
    "fp8_storage": OptionInfo("Disable", "FP8 weight"),
    "eta_noise_seed_delta": OptionInfo(0, "ENSD"),
    "sigma_min": OptionInfo(0.0, "Schedule min sigma"),
    "sigma_max": OptionInfo(0.0, "Schedule max sigma"),
    "rho": OptionInfo(0.0, "Schedule rho"),
    "refiner_switch_by_sample_steps": OptionInfo(False, "Refiner switch by sampling steps"),
    "sd_vae": OptionInfo("Automatic", "VAE"),
    "disable_weights_auto_swap": OptionInfo(True),
    "infotext_skip_pasting": OptionInfo([]),
    "infotext_styles": OptionInfo("Ignore"),
    "auto_backcompat": OptionInfo(True),
    "use_old_hires_fix_width_height": OptionInfo(False),
    "list_hidden_files": OptionInfo(True),
    "outdir_samples": OptionInfo(""),
    "outdir_txt2img_samples": OptionInfo("samples"),
    "outdir_grids": OptionInfo(""),
    "outdir_txt2img_grids": OptionInfo("grids"),
    "grid_save": OptionInfo(True),
    "grid_format": OptionInfo("png"),
    "grid_extended_filename": OptionInfo(False),
    "img_max_size_mp": OptionInfo(200),
    "return_grid": OptionInfo(True),
}


class Options:
    def __init__(self) -> None:
        self.__dict__["data_labels"] = OPTIONS
        self.__dict__["data"] = {name: info.default for name, info in OPTIONS.items()}

    def __getattr__(self, name):
        try:
            return self.__dict__["data"][name]
        except KeyError:
            raise AttributeError(name) from None

    def __setattr__(self, name, value) -> None:
        assert not cmd_opts.freeze_settings, "changing settings is disabled"
        self.data[name] = value

    def set(self, name, value, is_api=False, run_callbacks=True) -> bool:
        setattr(self, name, value)
        return True

    def cast_value(self, name, value):
        kind = type(OPTIONS[name].default)
        return False if kind is bool and value == "False" else kind(value)


class State:
    def __init__(self) -> None:
        self.skipped = self.interrupted = self.stopping_generation = False
        self.job, self.job_count, self.job_no, self.textinfo, self.time_start = "", 0, 0, None, None
        self.begun = 0

    def interrupt(self) -> None:
        self.interrupted = True

    def begin(self, job="(unknown)") -> None:
        self.skipped = self.interrupted = self.stopping_generation = False
        self.job, self.job_count, self.job_no, self.textinfo, self.time_start = job, -1, 0, None, time.time()
        self.begun += 1

    def end(self) -> None:
        self.job, self.job_count = "", 0

    def nextjob(self) -> None:
        self.job_no += 1


cmd_opts = SimpleNamespace(freeze_settings=False, lora_dir="", ckpt_dir=None, no_prompt_history=False, listen=False)
opts = Options()
state = State()
demo = None
total_tqdm = SimpleNamespace(clear=lambda: None)


def __getattr__(name):
    if name == "sd_model":
        from modules import sd_models

        return sd_models.model_data.get_sd_model()
    raise AttributeError(name)
