from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
for folder in (HERE, HERE.parents[1] / "extension"):
    if str(folder) not in sys.path:
        sys.path.append(str(folder))

from certificate import make_certificate  # noqa: E402
from running_webui import RunningWebui, running_webui  # noqa: E402
from venvs import LINES, NO_PYTHON, fitting_python  # noqa: E402


@pytest.fixture(scope="session", params=LINES)
def gradio(request: pytest.FixtureRequest) -> str:
    """Both lines of gradio that WebUIs are on."""
    if fitting_python() is None:
        pytest.skip(NO_PYTHON)
    return str(request.param)


@pytest.fixture(scope="session")
def guarded_webui(gradio: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningWebui]:
    """A WebUI with a login, below a sub-path, whose folders are hidden."""
    flags = ("--gradio-auth", "ann:pass", "--hide-ui-dir-config", "--subpath", "sd")
    with running_webui(gradio, tmp_path_factory.mktemp(f"guarded-{gradio}"), *flags) as webui:
        yield webui


@pytest.fixture(scope="session")
def tls_webui(gradio: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningWebui]:
    """A WebUI that is shared with others by TLS and a login, without gradio's queue, its settings frozen."""
    folder = tmp_path_factory.mktemp(f"tls-{gradio}")
    flags = ("--share", "--gradio-auth", "ann:pass", "--no-gradio-queue", "--freeze-settings")
    with running_webui(gradio, folder, *flags, tls=make_certificate(folder)) as webui:
        webui.start_server(webui.page_headers(webui.log_in("ann", "pass")))
        yield webui


@pytest.fixture(scope="session")
def open_webui(gradio: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningWebui]:
    """A WebUI on this machine only, without a login, with our server running; `--api` wraps each request."""
    with running_webui(gradio, tmp_path_factory.mktemp(f"open-{gradio}"), "--api") as webui:
        webui.start_server()
        yield webui


@pytest.fixture
def token(open_webui: RunningWebui) -> dict[str, str]:
    return {"X-Train-Lora-Token": open_webui.page_token()}


@pytest.fixture
def page(open_webui: RunningWebui) -> dict[str, str]:
    """What the page's WebSocket carries."""
    return open_webui.page_offer()
