"""A server that speaks TLS and, on the same port, tells plain HTTP to come back with https.

Its certificate is signed by itself, for 127.0.0.1, at the time of the test. It answers like the login of an Alyx, or
redirects where a test says. The sandbox has no TLS, hence this.
"""

from __future__ import annotations

import datetime
import ipaddress
import json
import socket
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

if TYPE_CHECKING:
    from pathlib import Path

TOKEN = "0123456789abcdef0123456789abcdef01234567"
TLS_HELLO = b"\x16"


def write_certificate(folder: Path) -> Path:
    """Write key and certificate into one PEM file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.IPv4Address("127.0.0.1"))])
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    encoding, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    path = folder / "server.pem"
    path.write_bytes(
        key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, plain) + certificate.public_bytes(encoding)
    )
    return path


class TlsServer(ThreadingHTTPServer):
    """The server; ``seen`` holds (scheme, method, path, body, authorization) of each request."""

    daemon_threads = True

    def __init__(self, pem: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(pem)
        self.seen: list[tuple[str, str, str, bytes, str | None]] = []
        #: Where TLS requests of a method are redirected: status and address.
        self.redirects: dict[str, tuple[int, str]] = {}
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.server_port}"

    def finish_request(self, request: Any, client_address: Any) -> None:
        assert isinstance(request, socket.socket)
        if request.recv(1, socket.MSG_PEEK) != TLS_HELLO:
            super().finish_request(request, client_address)
            return
        try:
            with self.context.wrap_socket(request, server_side=True) as secure:
                super().finish_request(secure, client_address)
        except OSError:
            return  # the client refused the certificate

    def close(self) -> None:
        self.shutdown()
        self.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: TlsServer

    def serve(self) -> None:
        scheme = "https" if isinstance(self.connection, ssl.SSLSocket) else "http"
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.seen.append((scheme, self.command, self.path, body, self.headers["Authorization"]))
        if scheme == "http":
            self.put(301, None, f"https://{self.server.host}{self.path}")
        elif self.command in self.server.redirects:
            self.put(self.server.redirects[self.command][0], None, self.server.redirects[self.command][1])
        elif self.path == "/auth-token":
            self.put(*((200, {"token": TOKEN}) if self.command == "POST" else (405, {"detail": "not allowed"})))
        else:
            self.put(200, {"count": 0, "next": None, "previous": None, "results": []})

    def put(self, status: int, body: Any, location: str | None = None) -> None:
        content = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        if location:
            self.send_header("Location", location)
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PATCH = serve  # noqa: N815

    def log_message(self, *_: Any) -> None:
        pass
