"""The web application: a page of three files, what it should know, and POST /matte.

Whoever asks by another host's name is refused (DNS rebinding), and so are other sites' pages.
Nothing that a request says is the name of a file: the page is read when the server starts, and
photographs stay in memory.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from edgemat.errors import EdgematError
from edgemat.serve.desk import OUTPUTS, Busy, Desk, TooLarge, TooLong, TooSlow
from edgemat.serve.hosts import Hosts

PAGE = Path(__file__).with_name("page")
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
}
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' blob: data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
STATUSES = {
    TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    Busy: HTTPStatus.SERVICE_UNAVAILABLE,
    TooLong: HTTPStatus.GATEWAY_TIMEOUT,
    TooSlow: HTTPStatus.REQUEST_TIMEOUT,
}
"""Of errors that are not the request's own."""

Endpoint = Callable[[Request], Awaitable[Response]]


def make_app(desk: Desk, hosts: Hosts) -> Starlette:
    """Return the application."""

    async def about(request: Request) -> Response:
        limits = desk.limits
        return JSONResponse(
            {
                "models": {name: Path(cutter.name).name for name, cutter in desk.cutters.items()},
                "outputs": list(OUTPUTS),
                "max_bytes": limits.bytes,
                "max_pixels": limits.pixels,
            }
        )

    async def matte(request: Request) -> Response:
        asked = request.query_params
        content = await _body(request, desk)
        start = time.perf_counter()
        png = await desk.cut_out(
            content,
            model=asked.get("model", next(iter(desk.cutters))),
            output=asked.get("output", "cutout"),
        )
        took_ms = 1000 * (time.perf_counter() - start)
        timing = {"Server-Timing": f"matte;dur={took_ms:.0f}"}
        return Response(png, media_type="image/png", headers=timing)

    guarded = _guard(hosts)
    routes = [
        *(Route(path, guarded(_fixed(file))) for path, file in _page_files().items()),
        Route("/about", guarded(about)),
        Route("/matte", guarded(matte), methods=["POST"]),
    ]
    return Starlette(routes=routes)


def _page_files() -> dict[str, Path]:
    files = {f"/{file.name}": file for file in PAGE.iterdir() if file.suffix in TYPES}
    return {"/": PAGE / "index.html", **files}


def _fixed(file: Path) -> Endpoint:
    content, kind = file.read_bytes(), TYPES[file.suffix]

    async def give(request: Request) -> Response:
        return Response(content, media_type=kind)

    return give


def _guard(hosts: Hosts) -> Callable[[Endpoint], Endpoint]:
    """Return what lets answers out to those alone who may ask, with errors as sentences."""

    def guarded(answer: Endpoint) -> Endpoint:
        async def checked(request: Request) -> Response:
            if request.headers.get("host", "") not in hosts:
                response = _refusal(HTTPStatus.MISDIRECTED_REQUEST, "This is another host.")
            elif _is_from_elsewhere(request):
                response = _refusal(HTTPStatus.FORBIDDEN, "Another site's page may not ask.")
            else:
                response = await _explained(answer, request)
            response.headers.update(HEADERS)
            return response

        return checked

    return guarded


async def _explained(answer: Endpoint, request: Request) -> Response:
    try:
        return await answer(request)
    except EdgematError as error:
        status = STATUSES.get(type(error), HTTPStatus.BAD_REQUEST)
        response = _refusal(status, error.message, error.remedy)
        if status == HTTPStatus.SERVICE_UNAVAILABLE:
            response.headers["Retry-After"] = "2"
        return response
    except MemoryError:
        return _refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "There is not enough memory for it.")


def _refusal(status: HTTPStatus, error: str, remedy: str = "") -> Response:
    # what else was sent is not read
    return JSONResponse({"error": error, "remedy": remedy}, status, headers={"Connection": "close"})


def _is_from_elsewhere(request: Request) -> bool:
    origin = request.headers.get("origin")
    if origin is not None and origin.partition("://")[2] != request.headers.get("host"):
        return True
    return request.headers.get("sec-fetch-site", "none") not in ("same-origin", "none")


async def _body(request: Request, desk: Desk) -> bytes:
    """Return what was posted, in memory, if it is not too large or too slow."""
    limits = desk.limits
    too_large = TooLarge(
        f"The file has more than {limits.bytes / 1e6:g} MB.", remedy="Scale it down first."
    )
    told = request.headers.get("content-length", "")
    if told.isdecimal() and (len(told) > 12 or int(told) > limits.bytes):
        raise too_large
    content = bytearray()
    try:
        async with asyncio.timeout(limits.upload_seconds):
            async for chunk in request.stream():
                content += chunk
                if len(content) > limits.bytes:
                    raise too_large
    except TimeoutError as error:
        raise TooSlow("The photograph comes too slowly.", remedy="Try again.") from error
    except ClientDisconnect as error:
        raise TooSlow("The photograph broke off.", remedy="Try again.") from error
    return bytes(content)
