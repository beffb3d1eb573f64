"""The page on the air: gradio behind its guards, served by uvicorn from a thread.

    Guard     names and origins that may come in, headers of every response
    Access    the login
    Limits    bytes and requests
    Presence  who has the page open, who leaves
    gradio    the page

Each connection is a `Connection`, which is cut off when nobody reads what was asked for.
Knows nothing about what the page shows.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import errno
import mimetypes
import socket
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr
import uvicorn
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from chatbot.errors import ChatbotError
from chatbot.site import Site
from chatbot.users import Users
from chatbot.web import cache
from chatbot.web.access import Access
from chatbot.web.connection import Connection, keep_little
from chatbot.web.headers import Guard
from chatbot.web.limits import Limits
from chatbot.web.visits import Presence, Visits

EVENTS = 600  # of gradio's events at work at once; most of them wait for a model
LOOKS = 0.005  # seconds between two looks for something to do, which are a thousand a second else
WORKERS = 40  # threads for what is not a stream
FILES = 8_192  # open at once: each user holds some four connections
CONNECTIONS = 4_000  # beyond which a new one is told to come back
SHOWN = ("image/png", "image/jpeg", "image/webp")  # in the page itself; all else is kept
ARENAS = 2  # heaps of the C library
M_ARENA_MAX = -8  # glibc's name for them, from malloc.h
GRACE = 3  # seconds for what is still being sent when the page closes


class PortInUse(ChatbotError):
    """Another program listens on the port."""


class Server(uvicorn.Server):
    """Serves one page until it is closed."""

    def __init__(
        self,
        blocks: gr.Blocks,
        site: Site,
        port: int,
        *,
        users: Users,
        max_upload: int,
        proxies: str = "",
        private: Path,
        routes: Sequence[BaseRoute] = (),
        **look: Any,  # noqa: ANN401 (gradio's theme, css and js)
    ) -> None:
        """`port` 0: any. `private`: a folder that is never served. Raises PortInUse.

        `proxies`: addresses whose word is taken for whom they ask. `routes`: the page's own,
        beside gradio's and behind the same login.
        """
        self._socket = _listening(site.host, port)
        keep_little(self._socket)
        self.port: int = self._socket.getsockname()[1]
        app, self._gradio = _mounted(blocks, site, users, max_upload, private, routes, look)
        self._blocks = blocks
        page = Presence(app, self._gradio.state_holder)
        guarded = Access(Limits(page, max_upload=max_upload), site, users, port=self.port)
        super().__init__(
            uvicorn.Config(
                Guard(guarded, site),
                proxy_headers=bool(site.public and proxies),
                forwarded_allow_ips=proxies or None,
                server_header=False,
                http=Connection,
                ws="none",
                log_level="warning",
                limit_concurrency=CONNECTIONS,
                timeout_graceful_shutdown=GRACE,
                timeout_keep_alive=30,
                lifespan="on",
            )
        )
        self._begun = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="page", daemon=True)

    @property
    def address(self) -> str:
        """Where this machine finds it."""
        host = self._socket_host
        return f"http://{host}:{self.port}"

    def begin(self) -> None:
        """Serve from now on. Raises ChatbotError if that cannot be."""
        _room_for_files()
        _few_arenas()
        self._thread.start()
        self._begun.wait()
        if not self.started:
            raise ChatbotError("The page could not be opened; the lines above say why.")

    def end(self) -> None:
        """Stop serving; what is being sent has a moment to end."""
        self._blocks.close(verbose=False)
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._gradio.stop_event.set)
        self.should_exit = True
        self._thread.join(2 * GRACE)
        self._socket.close()

    @property
    def _socket_host(self) -> str:
        host = str(self._socket.getsockname()[0])
        if host in ("0.0.0.0", "::"):
            host = "localhost"
        return f"[{host}]" if ":" in host else host

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn does; says when it is done."""
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets=sockets)
        self._sweeping = self._loop.create_task(cache.sweeping())
        self._begun.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn does."""
        self._sweeping.cancel()
        await super().shutdown(sockets=sockets)

    def _run(self) -> None:
        try:
            self.run(sockets=[self._socket])
        finally:
            self._begun.set()


def _mounted(
    blocks: gr.Blocks,
    site: Site,
    users: Users,
    max_upload: int,
    private: Path,
    routes: Sequence[BaseRoute],
    look: dict[str, Any],
) -> tuple[FastAPI, Any]:
    """Gradio's application within ours, with its own login, CORS and downloads out of use."""
    # Before gradio's own route, which would serve more.
    handed_out = Route("/gradio_api/file={path:path}", _file)
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, routes=[handed_out, *routes])
    blocks.max_threads = WORKERS + 1  # 40 would mean: as many as everything else together
    blocks._queue.max_thread_count = EVENTS
    # Nobody looks at gradio's list of events, of which each failure would have pandas sum up all.
    blocks._queue.ANALYTICS_MAX_EVENTS = 0
    blocks._queue.sleep_when_free = LOOKS
    blocks._queue.progress_update_sleep_when_free = 20 * LOOKS
    gr.mount_gradio_app(
        app,
        blocks,
        "/",
        server_name=site.host,
        auth_dependency=_user if users else None,
        root_path=site.prefix or None,
        blocked_paths=[str(private)],
        max_file_size=max_upload,
        show_error=False,
        ssr_mode=False,
        pwa=False,
        run_history=False,
        footer_links=[],
        **look,
    )
    mounted: Any = app.routes[-1]
    gradio_app = mounted.app
    gradio_app.uploaded_file_dir = str(cache.INCOMING)
    gradio_app.state_holder = Visits()
    gradio_app.state_holder.set_blocks(blocks)
    # Without this gradio does not check that a file a client names was uploaded by anybody,
    # and every file of this machine could be read.
    blocks.has_launched = True
    return app, gradio_app


async def _file(request: Request) -> Response:
    """A file that the page hands out, to be kept and not opened in the page's name."""
    path = cache.handed_out(request.path_params["path"])
    if path is None:
        return PlainTextResponse("There is nothing here.", status_code=404)
    kind = mimetypes.guess_type(path.name)[0]
    if kind in SHOWN:
        return FileResponse(path, media_type=kind)
    return FileResponse(path, media_type="application/octet-stream", filename=path.name)


def _user(request: Request) -> str | None:
    user: str | None = request.scope.get("docent.user")
    return user


def _listening(host: str, port: int) -> socket.socket:
    host = host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(2_048)
    except OSError as error:
        listening.close()
        raise PortInUse(_unusable(host, port, error)) from error
    return listening


def _unusable(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} on {host} is in use, perhaps by another Docent. Close that program, "
            f"or choose another port: --port {port + 1}"
        )
    return (
        f"The page cannot be opened on {host} port {port} ({error.strerror or error}). Choose "
        "others with --host and --port."
    )


def _few_arenas() -> None:
    """Memory that one thread has given back is for all: 120 MiB less is held in the soak test.

    The C library of Linux would keep as many heaps as eight times the cores, each with what
    was left free in it; Python's threads, of which one runs at a time, gain nothing by them.
    """
    with contextlib.suppress(AttributeError, OSError, TypeError):  # another C library
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, ARENAS)


def _room_for_files() -> None:
    """As many open files as may be, up to FILES: the usual 1,024 are 250 users."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
