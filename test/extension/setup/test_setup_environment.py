"""What the set-up's programs inherit from the WebUI, and what not."""

import os
import sys
from pathlib import Path

import pytest
from train_lora_webui.setup.setup_environment import setup_environment

NETWORK = {
    "HTTP_PROXY": "http://p:1",
    "https_proxy": "http://p:2",
    "NO_PROXY": "localhost",
    "ALL_PROXY": "socks5://p:3",
    "PIP_INDEX_URL": "https://mirror/simple",
    "PIP_FIND_LINKS": "/wheels",
    "UV_INDEX_URL": "https://mirror/simple",
    "npm_config_registry": "https://mirror/npm",
    "NODE_EXTRA_CA_CERTS": "/ca.pem",
    "SSL_CERT_FILE": "/ca.pem",
    "REQUESTS_CA_BUNDLE": "/ca.pem",
}


@pytest.mark.parametrize("name", NETWORK)
def test_proxies_mirrors_and_certificates_are_kept(name: str) -> None:
    assert setup_environment(NETWORK)[name] == NETWORK[name]


@pytest.mark.parametrize(
    "name",
    [
        "PYTHONPATH",
        "PYTHONHOME",
        "VIRTUAL_ENV",
        "COMMANDLINE_ARGS",
        "LD_PRELOAD",
        "SD_WEBUI_RESTART",
        "SD_WEBUI_RESTARTING",
    ]
    + ["PIP_USER", "PIP_TARGET", "PIP_PREFIX", "NODE_ENV", "NODE_PATH"],
)
def test_what_is_meant_for_the_webui_alone_is_dropped(name: str) -> None:
    assert name not in setup_environment({name: "x", "PATH": "/usr/bin"})


def test_a_relative_temporary_folder_is_not_inherited_as_such() -> None:
    assert Path(setup_environment({"TMP": "tmp"}).get("TMP", "/")).is_absolute()


def test_the_webuis_own_venv_is_not_on_path_and_node_comes_first(tmp_path: Path) -> None:
    venv = tmp_path / "venv"
    path = os.pathsep.join([str(venv / "bin"), "/usr/bin"])
    made = setup_environment({"PATH": path, "VIRTUAL_ENV": str(venv)}, Path("/private/bin/node"))
    assert made["PATH"].split(os.pathsep) == ["/private/bin", "/usr/bin"]


def test_the_webuis_mirror_of_pip_is_used_unless_pip_has_its_own() -> None:
    assert setup_environment({"INDEX_URL": "https://m/simple"})["PIP_INDEX_URL"] == "https://m/simple"
    both = setup_environment({"INDEX_URL": "https://m/simple", "PIP_INDEX_URL": "https://own/simple"})
    assert both["PIP_INDEX_URL"] == "https://own/simple"


def test_the_trainer_is_made_with_the_python_behind_the_webuis_venv_unless_the_user_names_one() -> None:
    made = setup_environment({})
    assert Path(made["TRAIN_LORA_PYTHON"]).is_file()
    assert not made["TRAIN_LORA_PYTHON"].startswith(sys.prefix + os.sep) or sys.prefix == sys.base_prefix
    assert setup_environment({"TRAIN_LORA_PYTHON": "/mine"})["TRAIN_LORA_PYTHON"] == "/mine"
