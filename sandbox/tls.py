"""The sandbox's own certificate authority: bearer tokens travel over TLS alone, on loopback as anywhere.

It lives in the state folder and is kept from run to run, so that whoever trusts `ca.pem` once (azure-cli, a
browser, a `func start` elsewhere) need not do it again.
"""

import ssl
from pathlib import Path

import msgspec
import trustme

NAMES = ("127.0.0.1", "localhost")


class Certificates(msgspec.Struct, frozen=True):
    ca: Path
    certificate: Path
    key: Path

    def server_context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        context.set_alpn_protocols(["http/1.1"])
        return context

    def client_context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.ca))


def certificates(folder: Path) -> Certificates:
    """Return the certificates of this state folder, made on the spot where there are none yet."""
    folder.mkdir(parents=True, exist_ok=True)
    made = Certificates(
        ca=folder / "ca.pem", certificate=folder / "server.pem", key=folder / "server-key.pem"
    )
    authority_key = folder / "ca-key.pem"
    if made.ca.exists() and authority_key.exists():
        authority = trustme.CA.from_pem(made.ca.read_bytes(), authority_key.read_bytes())
    else:
        authority = trustme.CA(organization_name="Image Factory sandbox")
        made.ca.write_bytes(authority.cert_pem.bytes())
        _write_secret(authority_key, authority.private_key_pem.bytes())
    server = authority.issue_cert(*NAMES)
    made.certificate.write_bytes(b"".join(blob.bytes() for blob in server.cert_chain_pems))
    _write_secret(made.key, server.private_key_pem.bytes())
    return made


def _write_secret(path: Path, content: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(content)
