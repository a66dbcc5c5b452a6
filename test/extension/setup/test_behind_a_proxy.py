"""The whole set-up where nothing is reached but a proxy with a password, and behind it a mirror with another."""

import base64
import hashlib
import json
import os
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from forward_proxy import ForwardProxy
from node_wheel import NODE_WHEEL, node_wheel
from package_index import PackageIndex
from small_extension import TRAINER, SmallExtension, path_without, tarball
from train_lora_webui.setup.private_node import NODE_PACKAGE, NODE_VERSION

sys.path.append(str(Path(__file__).resolve().parents[1]))

from certificate import make_certificate  # noqa: E402 - it stands beside the path that was just set

HOST = "packages.test"
LOGIN, PROXY_LOGIN = "bob:m1rror-pw", "anna:pr0xy-pw"
SECRETS = ("m1rror-pw", "pr0xy-pw", base64.b64encode(LOGIN.encode()).decode())

#: What this machine itself may have set for its network, and npm for its scripts: where its settings lie.
OF_THIS_MACHINE = r"_proxy$|^pip_(find_links|extra_index_url|config_file)$|_ca_bundle$|^ssl_cert|^node_extra_ca|^npm_"

#: Real pip in the trainer's step, in the environment that the step gives to its children.
PIP_IN_TRAINER = """
import { spawnSync } from "node:child_process";
const pip = ["-m", "pip", "download", "--no-deps", "--no-cache-dir", "small==1.0", "-d", "downloaded"];
const ended = spawnSync(process.env.TRAIN_LORA_PYTHON, pip, { stdio: "inherit" });
if (ended.status !== 0) process.exit(1);
"""


@dataclass(frozen=True)
class Network:
    proxy: ForwardProxy
    index: PackageIndex
    certificate: Path


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    if shutil.which("openssl") is None:
        pytest.skip("openssl makes the mirror's certificate")
    certificate = make_certificate(tmp_path, HOST)
    index = PackageIndex({"simple": [f"{NODE_PACKAGE}=={NODE_VERSION}", "small==1.0"]}, LOGIN, certificate.shown())
    index.extra[f"/-/files/{NODE_WHEEL}"] = ("application/octet-stream", node_wheel())
    archive = tarball("mirrored", "export const there = true;")
    tarball_path = "/npm/mirrored/-/mirrored-1.0.0.tgz"
    integrity = f"sha512-{base64.b64encode(hashlib.sha512(archive).digest()).decode()}"
    version = {"name": "mirrored", "version": "1.0.0", "dist": {"tarball": f"https://{HOST}{tarball_path}"}}
    version["dist"]["integrity"] = integrity
    document = {"name": "mirrored", "dist-tags": {"latest": "1.0.0"}, "versions": {"1.0.0": version}}
    index.extra["/npm/mirrored"] = ("application/json", json.dumps(document).encode())
    index.extra[tarball_path] = ("application/octet-stream", archive)
    proxy = ForwardProxy({f"{HOST}:443": index.port}, PROXY_LOGIN)
    yield Network(proxy, index, certificate.file)
    proxy.close()
    index.close()


def by_environment(network: Network, user: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", network.proxy.address_with_login)
    monkeypatch.setenv("PIP_INDEX_URL", f"https://{LOGIN}@{HOST}/simple")
    monkeypatch.setenv("npm_config_registry", f"https://{HOST}/npm/")
    login = user / "npm-login"
    login.write_text(f"//{HOST}/npm/:_auth={SECRETS[2]}\n", "utf-8")
    monkeypatch.setenv("npm_config_userconfig", str(login))
    monkeypatch.setenv("PIP_CERT", str(network.certificate))
    # Beside NODE_EXTRA_CA_CERTS, which a `cafile` in this machine's own settings of npm would outdo.
    monkeypatch.setenv("npm_config_cafile", str(network.certificate))


def by_files(network: Network, user: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("npm_config_registry", raising=False)
    for name in ("PIP_CERT", "PIP_INDEX_URL", "NODE_EXTRA_CA_CERTS", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    proxy = network.proxy.address_with_login
    pip = f"index-url = https://{LOGIN}@{HOST}/simple\nproxy = {proxy}\ncert = {network.certificate}\n"
    (user / ".config" / "pip").mkdir(parents=True)
    (user / ".config" / "pip" / "pip.conf").write_text(f"[global]\n{pip}", "utf-8")
    npm = f"registry=https://{HOST}/npm/\n//{HOST}/npm/:_auth={SECRETS[2]}\nhttps-proxy={proxy}\n"
    (user / ".npmrc").write_text(f"{npm}cafile={network.certificate}\n", "utf-8")


@pytest.mark.parametrize("settings", [by_environment, by_files])
def test_everything_comes_through_the_proxy_and_no_password_is_told(
    settings: object, extension: SmallExtension, network: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if re.search(OF_THIS_MACHINE, name, re.IGNORECASE)]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PATH", path_without("node"))
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    (tmp_path / "user").mkdir()
    settings(network, tmp_path / "user", monkeypatch)
    extension.want_from_registry("mirrored", network.index.extra["/npm/mirrored/-/mirrored-1.0.0.tgz"][1])
    extension.write("server/cli.js", PIP_IN_TRAINER + TRAINER)
    state = extension.run(private_node=True)
    assert (state["status"], state["failure"]) == ("ready", None), "\n".join(extension.lines()[-12:])
    assert (extension.repository / "node_modules" / "mirrored" / "index.js").is_file()
    assert (extension.repository / "downloaded" / "small-1.0-py3-none-any.whl").is_file()
    assert set(network.proxy.asked) == {f"CONNECT {HOST}:443"}
    assert {"/npm/mirrored", f"/simple/{NODE_PACKAGE}/", "/simple/small/"} <= set(network.index.asked)
    told = json.dumps(state) + "\n".join(extension.lines()) + (extension.home / "setup.log").read_text("utf-8")
    assert not [secret for secret in SECRETS if secret in told]


def test_a_host_that_needs_no_proxy_is_asked_without_one(
    extension: SmallExtension, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = PackageIndex({"simple": [f"{NODE_PACKAGE}=={NODE_VERSION}"]})
    plain.extra[f"/-/files/{NODE_WHEEL}"] = ("application/octet-stream", node_wheel())
    monkeypatch.setenv("PATH", path_without("node"))
    monkeypatch.setenv("HTTP_PROXY", network.proxy.address_with_login)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    monkeypatch.setenv("PIP_INDEX_URL", f"{plain.address}/simple")
    state = extension.run(private_node=True)
    plain.close()
    assert state["status"] == "ready"
    assert (network.proxy.asked, plain.asked[0]) == ([], f"/simple/{NODE_PACKAGE}/")


def test_what_the_trainers_pip_says_of_an_address_is_told_without_its_password(extension: SmallExtension) -> None:
    said = {"type": "failed", "code": "install_failed", "message": "pip failed at https://bob:m1rror-pw@mirror/simple."}
    said["details"] = "ERROR: 403 Client Error for url: http://bob:m1rror-pw@mirror/simple/torch/"
    extension.write("server/cli.js", f"console.log({json.dumps(json.dumps(said))}); process.exit(1);")
    failure = extension.run()["failure"]
    assert failure["code"] == "registry_refused"
    assert "m1rror-pw" not in json.dumps(failure) and "***@mirror" in failure["details"]
