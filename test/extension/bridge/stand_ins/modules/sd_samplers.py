# ruff: noqa: ANN201
# The signatures are those of the WebUI.
from types import SimpleNamespace

all_samplers = [SimpleNamespace(name=name) for name in ("DPM++ 2M", "Euler a", "Euler", "Hidden")]
samplers = all_samplers
samplers_for_img2img = all_samplers
samplers_map = {sampler.name.lower(): sampler.name for sampler in all_samplers}


def visible_sampler_names():
    return [sampler.name for sampler in all_samplers if sampler.name != "Hidden"]
