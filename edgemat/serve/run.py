"""The server: one address, one port, until Ctrl-C."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable

import uvicorn

from edgemat.errors import UsageError
from edgemat.serve.app import make_app
from edgemat.serve.connections import PromptProtocol
from edgemat.serve.desk import Desk
from edgemat.serve.hosts import Hosts

CONNECTIONS = 64
"""At once: further ones are refused."""


def serve(
    desk: Desk, *, listen: str, port: int, started: Callable[[str], None] = lambda url: None
) -> None:
    """Answer until the process is interrupted.

    Parameters
    ----------
    listen:
        An address of this machine; 127.0.0.1 is seen by this machine alone.
    port:
        0 for any that is free.
    started:
        Called with the page's address.

    Raises
    ------
    UsageError
        The address or the port cannot be had.
    """
    with _listening(listen, port) as listener:
        server, url = make_server(desk, listen, listener)
        started(url)
        with contextlib.suppress(KeyboardInterrupt):
            server.run(sockets=[listener])
    desk.close()


def make_server(desk: Desk, listen: str, listener: socket.socket) -> tuple[uvicorn.Server, str]:
    """Return the server of a socket, and its address."""
    hosts = Hosts(listen, listener.getsockname()[1])
    config = uvicorn.Config(
        make_app(desk, hosts),
        log_level="warning",
        access_log=False,
        server_header=False,
        lifespan="off",
        limit_concurrency=CONNECTIONS,
        http=PromptProtocol,
        ws="none",
    )
    return uvicorn.Server(config), hosts.url


def _listening(listen: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in listen else socket.AF_INET
    try:
        return socket.create_server((listen, port), family=family)
    except (OSError, OverflowError) as error:
        raise UsageError(
            f"The server cannot listen on {listen!r}, port {port}: {error}.",
            remedy="Give another --port, or 0 for any, and an address of this machine.",
        ) from error
