# ruff: noqa: ANN001, ANN002
# The signatures are those of the WebUI.
"""A runner with the WebUI's own seed and sampler controls, which are scripts that set what the user's controls hold."""

from collections import namedtuple
from types import SimpleNamespace

ScriptClassData = namedtuple("ScriptClassData", ["script_class", "path", "basedir", "module"])
scripts_data = []


class Script:
    setup_for_ui_only = False

    def setup(self, p, *args) -> None:
        pass

    def process(self, p, *args) -> None:
        pass


class SeedScript(Script):
    setup_for_ui_only = True
    controls = (SimpleNamespace(value=-1, type=None), SimpleNamespace(value=False, type=None))

    def setup(self, p, seed, _extras) -> None:
        p.seed = seed


class SamplerScript(Script):
    setup_for_ui_only = True
    controls = (SimpleNamespace(value=20), SimpleNamespace(value="DPM++ 2M", type="value", choices=["DPM++ 2M"]))

    def setup(self, p, steps, sampler_name) -> None:
        p.steps, p.sampler_name = steps, sampler_name


class BorderScript(Script):
    """Another extension's always-on script: counts, and wants an index where its control shows a label."""

    controls = (
        SimpleNamespace(value=False, type=None),
        SimpleNamespace(value="soft", type="index", choices=[("Hard", "hard"), ("Soft", "soft")]),
    )
    seen = []

    def process(self, p, enabled, kind) -> None:
        self.seen.append((enabled, kind))


class ScriptRunner:
    def __init__(self) -> None:
        self.inputs = [None]
        self.alwayson_scripts = []
        for script in (SeedScript(), SamplerScript(), BorderScript()):
            script.args_from = len(self.inputs)
            self.inputs += script.controls
            script.args_to = len(self.inputs)
            self.alwayson_scripts.append(script)

    def setup_scrips(self, p, *, is_ui=True) -> None:
        for script in self.alwayson_scripts:
            if is_ui or not script.setup_for_ui_only:
                script.setup(p, *p.script_args[script.args_from : script.args_to])

    def process(self, p) -> None:
        for script in self.alwayson_scripts:
            script.process(p, *p.script_args[script.args_from : script.args_to])


scripts_txt2img = ScriptRunner()
