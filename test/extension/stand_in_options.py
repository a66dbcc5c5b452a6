"""The command line of the stand-in WebUI: the WebUI's own options, ours, and what a test wants to be different."""

from __future__ import annotations

import argparse
import sys
from typing import Any

SWITCHES = (
    "--share",
    "--listen",
    "--hide-ui-dir-config",
    "--api",
    "--no-gradio-queue",
    "--nowebui",
    "--freeze-settings",
)
VALUES = (
    "--gradio-auth",
    "--api-auth",
    "--server-name",
    "--ngrok",
    "--cors-allow-origins",
    "--subpath",
    "--lora-dir",
    "--tls-certfile",
    "--tls-keyfile",
)


def read_options(preload: Any) -> argparse.Namespace:  # noqa: ANN401 - our preload.py
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--aged", action="store_true", help="the modules of a WebUI up to 1.7")
    parser.add_argument("--broken", choices=["paste", "gradio"], help="what our tab does not find as it should be")
    for name in SWITCHES:
        parser.add_argument(name, action="store_true")
    for name in VALUES:
        parser.add_argument(name)
    preload(parser)
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


def break_down(what: str) -> None:
    """What a future version, or another extension, may do to us."""
    if what == "paste":
        import modules

        sys.modules["modules.infotext_utils"] = None  # type: ignore[assignment]
        del modules.infotext_utils  # type: ignore[attr-defined]
    else:
        import gradio

        def refuse(*_args: Any, **_named: Any) -> None:  # noqa: ANN401
            raise TypeError("this gradio has no <button>")

        gradio.Button = refuse  # type: ignore[misc]
