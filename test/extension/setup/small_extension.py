"""An extension of a few files: the real tools/build.mjs over stand-ins of esbuild and Vite, which npm installs."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import os
import shutil
import tarfile
from pathlib import Path

from train_lora_webui.setup.setup_log import SetupLog
from train_lora_webui.setup.setup_run import Place, SetupRun
from train_lora_webui.setup.setup_state import KnownFacts, setup_state

REPOSITORY = Path(__file__).resolve().parents[3]

#: Each copies one source to where the real one writes its output.
STAND_INS = {
    "esbuild": "import fs from 'node:fs';\nexport async function build({ absWorkingDir: root }) {\n"
    "  fs.mkdirSync(`${root}/dist/server`, { recursive: true });\n"
    "  fs.copyFileSync(`${root}/server/cli.js`, `${root}/dist/server/cli.js`);\n}\n",
    "vite": "import fs from 'node:fs';\nexport async function build({ root }) {\n"
    "  fs.mkdirSync(`${root}/../dist/ui`, { recursive: true });\n"
    "  fs.copyFileSync(`${root}/index.html`, `${root}/../dist/ui/index.html`);\n}\n",
}

#: What `train-lora setup --json` does, as far as the set-up sees it.
TRAINER = """
import fs from "node:fs";
import { createHash } from "node:crypto";
const home = process.argv[process.argv.indexOf("--home") + 1];
const say = (message) => console.log(JSON.stringify(message));
say({ type: "line", text: "Making the trainer's venv" });
say({ type: "progress", done: 1, total: 2 });
console.log("not JSON: a warning of somebody else");
fs.mkdirSync(`${home}/venv-trainer`, { recursive: true });
fs.writeFileSync(`${home}/venv-trainer/pyvenv.cfg`, "");
const requirements = createHash("sha256").update(fs.readFileSync("trainer-py/requirements.txt")).digest("hex");
fs.writeFileSync(`${home}/venv-trainer/train-lora.json`, JSON.stringify({ requirements, python: "3.11" }));
say({ type: "done" });
"""


class SmallExtension:
    """`run(…)` is a whole set-up; `state()` what the panel would show."""

    def __init__(self, folder: Path) -> None:
        # Spaces, other alphabets and signs that shells and addresses read in their own way.
        folder = folder / "Мои модели & #1 100%"
        self.repository = (folder / "extension").resolve()
        self.home = folder / "home"
        self.log = SetupLog()
        self.setup = SetupRun(self.log)
        self.known = KnownFacts()
        self.place = Place(self.repository, self.home)
        for name in ("tools", "server", "ui", "protocol", "trainer-py", "archives"):
            (self.repository / name).mkdir(parents=True)
        shutil.copy(REPOSITORY / "tools" / "build.mjs", self.repository / "tools")
        self.write("server/cli.js", TRAINER)
        self.write("ui/index.html", "<p>page</p>")
        self.write("protocol/wire.ts", "export {};")
        self.write("trainer-py/requirements.txt", "torch==1\n")
        self.write_packages("0.1.0", STAND_INS)

    def write(self, name: str, text: str) -> None:
        (self.repository / name).write_text(text, "utf-8")

    def write_packages(self, version: str, packages: dict[str, str]) -> None:
        """package.json, the lockfile and an archive for each package."""
        locked = {name: self._archive(name, source) for name, source in packages.items()}
        wanted = {name: f"file:archives/{name}.tgz" for name in packages}
        root = {"name": "small", "version": version, "type": "module", "dependencies": wanted}
        lock = {"name": "small", "version": version, "lockfileVersion": 3, "requires": True}
        entries = {f"node_modules/{name}": entry for name, entry in locked.items()}
        self.write("package.json", json.dumps(root))
        self.write("package-lock.json", json.dumps({**lock, "packages": {"": root, **entries}}))

    def want_from_registry(self, name: str, archive: bytes = b"") -> None:
        """One more package in the lockfile that only a registry has."""
        package, lock = (
            json.loads((self.repository / file).read_text("utf-8")) for file in ("package.json", "package-lock.json")
        )
        for root in (package, lock["packages"][""]):
            root["dependencies"][name] = "1.0.0"
        lock["packages"][f"node_modules/{name}"] = {"version": "1.0.0", "integrity": _integrity(archive)}
        self.write("package.json", json.dumps(package))
        self.write("package-lock.json", json.dumps(lock))

    def want_archive(self, name: str) -> None:
        """One more package, out of an archive that lies among the others already."""
        content = (self.repository / "archives" / f"{name}.tgz").read_bytes()
        entry = {"version": "1.0.0", "resolved": f"file:archives/{name}.tgz", "integrity": _integrity(content)}
        for file in ("package.json", "package-lock.json"):
            found = json.loads((self.repository / file).read_text("utf-8"))
            root = found.get("packages", {}).get("", found)
            root["dependencies"][name] = f"file:archives/{name}.tgz"
            if "packages" in found:
                found["packages"][f"node_modules/{name}"] = {**entry, "hasInstallScript": True}
            self.write(file, json.dumps(found))

    def run(self, private_node: bool = False) -> dict:
        assert self.setup.start(self.place, private_node)
        assert self.setup.wait(120)
        return self.state()

    def state(self) -> dict:
        self.known.forget()
        return setup_state(self.place, self.setup, self.known)

    def lines(self) -> list[str]:
        return self.log.since(0)[1]

    def _archive(self, name: str, source: str) -> dict[str, object]:
        content = tarball(name, source)
        (self.repository / "archives" / f"{name}.tgz").write_bytes(content)
        return {"version": "1.0.0", "resolved": f"file:archives/{name}.tgz", "integrity": _integrity(content)}


def tarball(name: str, source: str, scripts: dict[str, str] | None = None) -> bytes:
    """A package as npm's registry has it, the same bytes each time."""
    description = {
        "name": name,
        "version": "1.0.0",
        "type": "module",
        "exports": "./index.js",
        "scripts": scripts or {},
    }
    content = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=content, mode="wb", mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w") as archive,
    ):
        for path, text in (("package/package.json", json.dumps(description)), ("package/index.js", source)):
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(text.encode()), 0o644
            archive.addfile(entry, io.BytesIO(text.encode()))
    return content.getvalue()


def _integrity(archive: bytes) -> str:
    return f"sha512-{base64.b64encode(hashlib.sha512(archive).digest()).decode()}"


def fake_program(file: Path, text: str) -> Path:
    """A shell script that can be called like a program."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"#!/bin/sh\n{text}\n", "utf-8")
    file.chmod(0o755)
    return file


def path_without(name: str) -> str:
    """PATH without the folders in which `name` lies."""
    return os.pathsep.join(part for part in os.environ["PATH"].split(os.pathsep) if not (Path(part) / name).exists())
