"""The page's server: its own few files, the models of one measurement, and one token.

It listens on loopback unless told otherwise, answers nobody who names another host than the one
it listens on (DNS rebinding), takes nothing without the token, and nothing twice. Whoever sends
nonsense, or slowly, is refused; the terminal of the measurement shows nothing of it.
"""

from __future__ import annotations

import hmac
import io
import json
import re
import secrets
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from edgemat.errors import EdgematError

PAGE = Path(__file__).with_name("page")
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".wasm": "application/wasm",
}
MAX_POST_BYTES = 16_000_000
"""Ten minutes of samples have a tenth of it; a site adds room for the mattes of its models."""
MAX_DIGITS = 12
"""Of a length: Python takes long over numbers of thousands of digits, and then refuses them."""
READ_TIMEOUT_S = 30.0
REQUEST_TIMEOUT_S = 60.0
"""Of a whole request, however steadily it trickles in."""
SEND_TIMEOUT_S = 120.0
TOKEN_HEADER = "X-Edgemat-Token"

PostHandler = Callable[[bytes], dict[str, Any]]
"""Takes a posted body and returns what the page is told; ValueError or EdgematError refuses it."""


@dataclass
class Site:
    """The files and the job that are served.

    Attributes
    ----------
    secret:
        Path to content, given only with the token; raises as an :data:`PostHandler`.
    posts:
        Path to what takes the body.
    request_timeout_s:
        Seconds that a whole request may take.
    """

    litert: Path
    secret: Mapping[str, Callable[[], bytes]]
    posts: Mapping[str, PostHandler]
    max_post_bytes: int = MAX_POST_BYTES
    request_timeout_s: float = REQUEST_TIMEOUT_S
    token: str = field(default_factory=lambda: secrets.token_urlsafe(18))
    last_seen: float = 0.0
    closed: bool = False

    def public_file(self, path: str) -> Path | None:
        """Return the file of edgemat's page that a path names; no path leads anywhere else."""
        name = path.removeprefix("litert/")
        if not re.fullmatch(r"[a-z][a-z0-9_-]{0,99}\.(html|css|js|wasm)", name):
            return None
        file = (self.litert if path.startswith("litert/") else PAGE) / name
        return file if file.is_file() and not file.is_symlink() else None


class PageServer:
    """A site on a port of one address, from ``with`` to its end.

    Parameters
    ----------
    listen:
        Address to listen on; 127.0.0.1 is seen by this machine alone.
    certificate:
        PEM file with key and certificate, for HTTPS.
    """

    def __init__(
        self, site: Site, *, listen: str, port: int = 0, certificate: Path | None = None
    ) -> None:
        self.site = site
        self._tls = certificate is not None
        self._server = _SiteServer(site, (listen, port))
        self.host, self.port = listen, self._server.server_address[1]
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            # The handshake is left to the connection's own thread: a slow client delays none.
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )

    @property
    def url(self) -> str:
        """Return the address to open; the token stands behind #, which is never sent or logged."""
        return f"http{'s' * self._tls}://{self.host}:{self.port}/#token={self.site.token}"

    def __enter__(self) -> PageServer:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _SiteServer(ThreadingHTTPServer):
    """Serves a site; says nothing of broken connections, failed handshakes and slow clients.

    Attributes
    ----------
    hosts:
        The names, with the port, by which it may be called.
    """

    daemon_threads = True

    def __init__(self, site: Site, address: tuple[str, int]) -> None:
        super().__init__(address, _Handler)
        self.site = site
        port = self.server_address[1]
        self.hosts = {f"{address[0]}:{port}", f"localhost:{port}"}

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Patient(io.RawIOBase):
    """A client's bytes, up to a moment: then the connection is given up."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self.until = 0.0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        left = self.until - time.monotonic()
        if left <= 0:
            raise TimeoutError("the request takes too long")
        self._connection.settimeout(min(left, READ_TIMEOUT_S))
        return self._connection.recv_into(buffer)


class _Handler(BaseHTTPRequestHandler):
    """One connection: GET gives files, POST takes what the page found out."""

    server: _SiteServer
    server_version, sys_version = "edgemat", ""
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        super().setup()
        self.rfile.close()
        self._patient = _Patient(self.connection)
        self.rfile = io.BufferedReader(self._patient)

    def handle_one_request(self) -> None:
        self._patient.until = time.monotonic() + self.server.site.request_timeout_s
        super().handle_one_request()

    def do_GET(self) -> None:
        if not self._is_for_us():
            return
        site = self.server.site
        path = self.path.partition("?")[0].removeprefix("/") or "index.html"
        if path in site.secret:
            if self._has_token():
                self._answer(site.secret[path], "application/octet-stream")
            return
        file = site.public_file(path)
        if file is None:
            self._refuse(HTTPStatus.NOT_FOUND, "There is no such file.")
            return
        nonce, content = secrets.token_urlsafe(12), file.read_bytes()
        if file.suffix == ".html":
            content = content.replace(b"NONCE", nonce.encode())
        self._send(content, TYPES[file.suffix], nonce=nonce)

    def do_POST(self) -> None:
        if not (self._is_for_us() and self._has_token()):
            return
        site = self.server.site
        take = site.posts.get(self.path.removeprefix("/"))
        length = self.headers.get("Content-Length", "")
        if take is None:
            self._refuse(HTTPStatus.NOT_FOUND, "Nothing is taken here.")
        elif not length.isdecimal():
            self._refuse(HTTPStatus.LENGTH_REQUIRED, "A length is needed.")
        elif len(length) > MAX_DIGITS or int(length) > site.max_post_bytes:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "That is too large.")
        else:
            body = self.rfile.read(int(length))
            self._answer(lambda: json.dumps(take(body)).encode(), "application/json")

    def _answer(self, work_out: Callable[[], bytes], kind: str) -> None:
        try:
            content = work_out()
        except (ValueError, EdgematError) as error:
            self._refuse(HTTPStatus.BAD_REQUEST, str(error))
        else:
            self._send(content, kind)

    def _is_for_us(self) -> bool:
        if self.headers.get("Host") in self.server.hosts:
            return True
        self._refuse(HTTPStatus.MISDIRECTED_REQUEST, "This is not the host that was asked for.")
        return False

    def _has_token(self) -> bool:
        site, given = self.server.site, self.headers.get(TOKEN_HEADER, "")
        if not site.closed and hmac.compare_digest(given.encode(), site.token.encode()):
            site.last_seen = time.monotonic()
            return True
        self._refuse(HTTPStatus.FORBIDDEN, "The token is wrong, or was used already.")
        return False

    def _refuse(self, status: HTTPStatus, text: str) -> None:
        self.close_connection = True  # what else was sent is not read
        self._send(text.encode(), "text/plain; charset=utf-8", status=status)

    def _send(
        self,
        content: bytes,
        kind: str,
        *,
        status: HTTPStatus = HTTPStatus.OK,
        nonce: str = "",
    ) -> None:
        self.send_response(status)
        for name, value in _headers(content, kind, nonce).items():
            self.send_header(name, value)
        self.connection.settimeout(SEND_TIMEOUT_S)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the terminal belongs to the measurement."""


def _headers(content: bytes, kind: str, nonce: str) -> dict[str, str]:
    """Return what a browser is told about a content: its type, and what the page may do."""
    policy = (
        f"default-src 'self'; script-src 'self' 'wasm-unsafe-eval' 'nonce-{nonce}'; "
        "worker-src 'self' blob:; img-src data:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )
    return {
        "Content-Type": kind,
        "Content-Length": str(len(content)),
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
        # both together let the page share memory between threads
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Embedder-Policy": "require-corp",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
