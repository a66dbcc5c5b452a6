"""A certificate of the test's own for 127.0.0.1, as a user makes one for `--tls-certfile`."""

from __future__ import annotations

import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Certificate:
    file: Path
    key: Path

    def trusted(self) -> ssl.SSLContext:
        """What a browser needs that trusts this certificate and no other."""
        return ssl.create_default_context(cafile=str(self.file))

    def shown(self) -> ssl.SSLContext:
        """What a server needs that shows it."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.file, self.key)
        return context


def make_certificate(folder: Path, name: str = "") -> Certificate:
    """Signed by itself, good for two days, for `name` instead of this machine. Needs the program `openssl`."""
    made = Certificate(folder / "certificate.pem", folder / "key.pem")
    files = ["-keyout", str(made.key), "-out", str(made.file), "-days", "2"]
    subject, other = (name, f"DNS:{name}") if name else ("127.0.0.1", "IP:127.0.0.1")
    names = ["-subj", f"/CN={subject}", "-addext", f"subjectAltName={other}"]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", *files, *names]
    subprocess.run(command, check=True, capture_output=True)
    return made
