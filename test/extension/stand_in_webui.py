"""
A WebUI for tests: real gradio, the WebUI's own order of start and "Reload UI", stand-ins for its modules, and our
extension loaded as the WebUI loads it. Run by a Python of venvs.py. Says `{"ready": port}` on stdout, then obeys lines
on stdin: `reload`, `exit` (os._exit, as Ctrl+C in the WebUI is) and `start` (our server, without the set-up).
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
sys.path.insert(0, str(HERE / "stand_ins"))


def main() -> None:
    from modules import shared

    shared.cmd_opts = read_options()
    if shared.cmd_opts.aged:
        become_old()
    while True:
        demo = start()
        tell(ready=demo.server_port, saved=shared.saved_labels)
        if obey(demo) == "exit":
            os._exit(0)
        began = time.monotonic()
        demo.close()
        tell(closedIn=time.monotonic() - began)
        from modules import script_callbacks

        script_callbacks.call("before_reload")
        script_callbacks.call("script_unloaded")


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--aged", action="store_true", help="the modules of a WebUI up to 1.7")
    for name in ("--share", "--listen", "--hide-ui-dir-config", "--api"):
        parser.add_argument(name, action="store_true")
    for name in (
        "--gradio-auth",
        "--api-auth",
        "--server-name",
        "--ngrok",
        "--cors-allow-origins",
        "--subpath",
        "--lora-dir",
    ):
        parser.add_argument(name)
    load(REPOSITORY / "preload.py").preload(parser)
    options = parser.parse_args()
    options.webui_is_non_local = any([options.share, options.listen, options.ngrok, options.server_name])
    options.disable_extension_access = options.webui_is_non_local
    return options


def become_old() -> None:
    from modules import infotext_utils, shared

    sys.modules["modules.generation_parameters_copypaste"] = infotext_utils
    sys.modules["modules.infotext_utils"] = None  # type: ignore[assignment]
    del sys.modules["modules"].infotext_utils  # type: ignore[attr-defined]
    sys.modules["modules"].generation_parameters_copypaste = infotext_utils  # type: ignore[attr-defined]
    shared.OptionInfo = shared.AgedOptionInfo  # type: ignore[misc]


def start() -> Any:  # noqa: ANN401 - gradio's Blocks
    from modules import script_callbacks, scripts, shared

    script_callbacks.clear()
    scripts.current_basedir = str(REPOSITORY)
    load(REPOSITORY / "scripts" / "train_lora.py")
    scripts.current_basedir = ""
    importlib.import_module("train_lora_webui.shim").IDLE_EXIT_MINUTES = int(os.environ["STAND_IN_IDLE_EXIT"])
    script_callbacks.call("before_ui")
    script_callbacks.call("ui_settings")
    demo, options = create_ui(), shared.cmd_opts
    demo.queue()
    app, _local, _share = demo.launch(
        server_name=options.server_name or ("0.0.0.0" if options.listen else None),
        server_port=options.port,
        auth=[tuple(options.gradio_auth.split(":", 1))] if options.gradio_auth else None,
        prevent_thread_lock=True,
        quiet=True,
        root_path=f"/{options.subpath}" if options.subpath else "",
        app_kwargs={"docs_url": "/docs"},
    )
    set_up_middleware(app)
    script_callbacks.call("app_started", demo, app)
    return demo


def create_ui() -> Any:  # noqa: ANN401
    import gradio as gr
    from modules import script_callbacks, shared, ui_loadsave

    paste = sys.modules.get("modules.generation_parameters_copypaste") or importlib.import_module(
        "modules.infotext_utils"
    )
    paste.reset()
    with gr.Blocks(analytics_enabled=False) as txt2img:
        fields = [gr.Textbox(label=name, elem_id=f"txt2img_{name}") for name in ("prompt", "neg_prompt")]
    paste.paste_fields["txt2img"] = fields
    tabs = [(txt2img, "txt2img", "txt2img"), *[tab for found in script_callbacks.call("ui_tabs") for tab in found]]
    shared.saved_labels = [label for blocks, _label, _id in tabs for label in ui_loadsave.saved_labels(blocks)]
    with gr.Blocks(analytics_enabled=False, title="Stable Diffusion") as demo:
        paste.connect_paste_params_buttons()
        with gr.Tabs(elem_id="tabs"):
            for blocks, label, tab_id in tabs:
                with gr.TabItem(label, id=tab_id, elem_id=f"tab_{tab_id}"):
                    blocks.render()
    return demo


def set_up_middleware(app: Any) -> None:  # noqa: ANN401
    from starlette.middleware.gzip import GZipMiddleware

    app.user_middleware = [known for known in app.user_middleware if known.cls.__name__ != "CORSMiddleware"]
    app.middleware_stack = None
    app.add_middleware(GZipMiddleware, minimum_size=1000)
    app.build_middleware_stack()


def obey(demo: Any) -> str:  # noqa: ANN401
    from train_lora_webui.shim import the_shim

    for line in sys.stdin:
        if line.strip() == "start":
            the_shim(REPOSITORY).server.start()
        else:
            return line.strip()
    return "exit"


def load(file: Path) -> Any:  # noqa: ANN401 - a module
    spec = importlib.util.spec_from_file_location(file.name, file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def tell(**facts: Any) -> None:  # noqa: ANN401
    sys.stdout.write(f"{json.dumps(facts)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
