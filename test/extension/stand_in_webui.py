"""
A WebUI for tests: real gradio, the WebUI's own order of start and "Reload UI", stand-ins for its modules, and our
extension loaded as the WebUI loads it. Run by a Python of venvs.py. Says `{"ready": port}` on stdout, then obeys lines
on stdin: `reload`, `exit` (os._exit, as Ctrl+C in the WebUI is), `start` (our server, without the set-up) and
`set NAME VALUE` (a setting) and `options` (its command line, as its API tells it).
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
sys.path.insert(0, str(HERE / "stand_ins"))

from stand_in_options import become_old, break_down, read_options  # noqa: E402


def main() -> None:
    from modules import shared

    shared.cmd_opts = read_options(load(REPOSITORY / "preload.py").preload)
    if shared.cmd_opts.nowebui:
        return serve_api_only()
    if shared.cmd_opts.aged:
        become_old()
    while True:
        demo = start()
        tell(ready=demo.server_port, saved=shared.saved_labels, middlewares=shared.middlewares)
        if obey() == "exit":
            os._exit(0)
        began = time.monotonic()
        demo.close()
        tell(closedIn=time.monotonic() - began)
        from modules import script_callbacks

        script_callbacks.call("before_reload")
        script_callbacks.call("script_unloaded")


def start() -> Any:  # noqa: ANN401 - gradio's Blocks
    from modules import script_callbacks, shared

    load_scripts()
    script_callbacks.call("before_ui")
    script_callbacks.call("ui_settings")
    demo, options = create_ui(), shared.cmd_opts
    shared.demo = demo
    if not options.no_gradio_queue:
        demo.queue()
    app, _local, _share = demo.launch(
        server_name=options.server_name or ("0.0.0.0" if options.listen else None),
        server_port=options.port,
        auth=[tuple(options.gradio_auth.split(":", 1))] if options.gradio_auth else None,
        prevent_thread_lock=True,
        quiet=True,
        ssl_certfile=options.tls_certfile,
        ssl_keyfile=options.tls_keyfile,
        ssl_verify=False,
        root_path=f"/{options.subpath}" if options.subpath else "",
        app_kwargs={"docs_url": "/docs"},
    )
    set_up_middleware(app)
    before = list(app.user_middleware)
    script_callbacks.call("app_started", demo, app)
    shared.middlewares = [len(before), len(app.user_middleware)]
    return demo


def load_scripts() -> None:
    from modules import script_callbacks, scripts

    script_callbacks.clear()
    scripts.current_basedir = str(REPOSITORY)
    load(REPOSITORY / "scripts" / "train_lora.py")
    scripts.current_basedir = ""
    importlib.import_module("train_lora_webui.shim").IDLE_EXIT_MINUTES = int(os.environ["STAND_IN_IDLE_EXIT"])


def serve_api_only() -> None:
    """`--nowebui`: a bare FastAPI, no page, and the callback gets no Blocks."""
    import uvicorn
    from fastapi import FastAPI
    from modules import script_callbacks, shared

    load_scripts()
    app, options = FastAPI(), shared.cmd_opts
    set_up_middleware(app)
    script_callbacks.call("before_ui")
    script_callbacks.call("app_started", None, app)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=options.port, log_level="warning"))
    threading.Thread(target=server.run, daemon=True).start()
    while not server.started:
        time.sleep(0.05)
    tell(ready=options.port)
    obey()
    os._exit(0)


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
    if shared.cmd_opts.broken:
        break_down(shared.cmd_opts.broken)
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
    from modules import shared
    from starlette.middleware.cors import CORSMiddleware
    from starlette.middleware.gzip import GZipMiddleware

    options = shared.cmd_opts
    app.user_middleware = [known for known in app.user_middleware if known.cls.__name__ != "CORSMiddleware"]
    app.middleware_stack = None
    app.add_middleware(GZipMiddleware, minimum_size=1000)
    origins = options.cors_allow_origins.split(",") if options.cors_allow_origins else []
    app.add_middleware(
        CORSMiddleware, allow_origins=origins, allow_methods=["*"], allow_headers=["*"], allow_credentials=True
    )
    if options.api:
        add_api_middleware(app)
    app.build_middleware_stack()


def add_api_middleware(app: Any) -> None:  # noqa: ANN401
    """`--api` wraps every request in two of these, ours too."""

    @app.middleware("http")
    async def timed(request: Any, call_next: Any) -> Any:  # noqa: ANN401
        answer = await call_next(request)
        answer.headers["X-Process-Time"] = "0"
        return answer

    @app.middleware("http")
    async def caught(request: Any, call_next: Any) -> Any:  # noqa: ANN401
        from fastapi.responses import JSONResponse
        from modules import errors

        try:
            return await call_next(request)
        except Exception as error:
            errors.report(f"API error: {request.method}: {request.url}", exc_info=True)
            return JSONResponse({"error": type(error).__name__}, 500)


def obey() -> str:
    """Until a line wants something of the WebUI itself."""
    from modules import shared
    from train_lora_webui.shim import the_shim

    for line in sys.stdin:
        word, *rest = line.split()
        if word == "start":
            the_shim(REPOSITORY).server.start()
        elif word == "set":
            shared.opts.data[rest[0]] = " ".join(rest[1:])
            tell(set=rest[0])
        elif word == "options":
            tell(options={name: str(value) for name, value in vars(shared.cmd_opts).items()})
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
