"""The session as a page in a browser of this machine: one self-contained file, server-sent events, controls with a token.

    with Page(address_of(stage, settings), token_of(stage), turned, desk.tape) as page:
        page.show(desk.picture(now_ns))            # as often as you like; whoever looks gets the newest

Only 127.0.0.1 is listened to. A page of another site can neither read (Host is checked, so that no name of its own can be
pointed here) nor turn anything (Origin is checked, and the token stands only in our page). Like the server of models, it is
open to the users of the same machine. The port is the same number that ui's letters come to, or the one you choose, so a ui
that had to begin again is found where it was.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import os
import secrets
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from models.music.errors import BadConfig, BadInput
from realtime_client.controls import control
from realtime_client.messages import LOOPBACK, Address, Control, Stage
from realtime_client.settings import JamSettings

PAGE = Path(__file__).with_name("page.html")
TOKEN = "X-Jamflow-Token"
MOST_WATCHERS, LONGEST_BODY = 8, 1000
PATIENCE_S, HEARTBEAT_S, FAREWELL_S = 10.0, 2.0, 0.1


def address_of(stage: Stage, settings: JamSettings) -> Address:
    """Where a session's page is."""
    return stage.ui[0], settings.page_port or stage.ui[1]


def token_of(stage: Stage) -> str:
    """What a control must bring along; the letters' own secret cannot be found from it."""
    return hmac.new(stage.secret.encode(), b"page", hashlib.sha256).hexdigest()[:32]


class Page(ThreadingHTTPServer):
    """The page's server, on a thread of its own for as long as the context lasts."""

    daemon_threads = True
    allow_reuse_address = os.name == "posix"  # elsewhere it would let two listen to one port

    def __init__(
        self,
        address: Address,
        token: str,
        turned: Callable[[Control], None],
        tape: Callable[[], dict[str, Any]] = dict,
    ) -> None:
        try:
            super().__init__(address, Visit)
        except OSError as error:
            raise BadConfig(
                f"page_port {address[1]} is taken ({error.strerror}). Choose another with --page-port, or end the other."
            ) from error
        self.token, self.turned, self.tape = token, turned, tape
        self.session = hashlib.sha256(token.encode()).hexdigest()[:12]
        self.url = f"http://{LOOPBACK}:{self.server_address[1]}"
        self.watchers = threading.BoundedSemaphore(MOST_WATCHERS)
        self._news = threading.Condition()
        self._shown, self._number, self._over = "{}", 0, False

    def __enter__(self) -> Page:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.2}, daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        with self._news:
            self._over = True
            self._news.notify_all()
        for _ in range(MOST_WATCHERS):  # whoever looks sees the last picture
            self.watchers.acquire(timeout=FAREWELL_S)
        self.shutdown()
        self.server_close()

    def show(self, picture: dict[str, Any]) -> None:
        """Give a new picture to whoever looks."""
        text = json.dumps(picture | {"session": self.session}, separators=(",", ":"))
        with self._news:
            self._shown, self._number = text, self._number + 1
            self._news.notify_all()

    @property
    def shown(self) -> str:
        return self._shown

    def news(self) -> Iterator[str]:
        """Give each new picture, or nothing new after a while, until it is over."""
        seen, over = -1, False
        while not over:
            with self._news:
                self._news.wait_for(lambda seen=seen: self._over or self._number not in (0, seen), HEARTBEAT_S)
                text, number, over = self._shown, self._number, self._over
            yield text if number not in (0, seen) else ""
            seen = number

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that goes away in the middle of a word is no event."""

    def is_ours(self, host: str) -> bool:
        port = self.server_address[1]
        return host in (f"{LOOPBACK}:{port}", f"localhost:{port}")


class Visit(BaseHTTPRequestHandler):
    """One request."""

    server: Page  # type: ignore[assignment]
    timeout = PATIENCE_S
    server_version, sys_version = "Jamflow", ""

    def do_GET(self) -> None:
        if not self.server.is_ours(self.headers.get("Host", "")):
            self._answer(403, "text/plain", "This page has no other name than 127.0.0.1.")
        elif self.path == "/":
            self._page()
        elif self.path == "/state":
            self._answer(200, "application/json", self.server.shown)
        elif self.path == "/tape":
            self._answer(200, "application/json", json.dumps(self.server.tape()))
        elif self.path == "/events":
            self._events()
        else:
            self._answer(404, "text/plain", "There is / (the page), /events, /state and /tape.")

    def do_POST(self) -> None:
        origin = self.headers.get("Origin", "")
        trusted = self.server.is_ours(self.headers.get("Host", "")) and (
            not origin or (origin.startswith("http://") and self.server.is_ours(origin.removeprefix("http://")))
        )
        if not trusted or not hmac.compare_digest(self.headers.get(TOKEN, "").encode(), self.server.token.encode()):
            self._answer(403, "text/plain", "Only the session's own page turns anything.")
            return
        if self.path != "/control":
            self._answer(404, "text/plain", "Controls go to /control.")
            return
        try:
            self.server.turned(self._control())
        except BadInput as error:
            self._answer(400, "text/plain", str(error))
            return
        self._answer(204, "text/plain", "")

    def log_message(self, *_: object) -> None:
        """The terminal belongs to the music."""

    def _control(self) -> Control:
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > LONGEST_BODY:
            raise BadInput(f'A control is JSON of at most {LONGEST_BODY} bytes: {{"name": "temperature", "value": 1}}.')
        try:
            turned = json.loads(self.rfile.read(int(length)))
            name, value = str(turned["name"]), turned.get("value", "")
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise BadInput('A control is JSON: {"name": "temperature", "value": 1}.') from error
        return control(name, value)

    def _page(self) -> None:
        nonce = secrets.token_urlsafe(12)
        text = PAGE.read_text(encoding="utf-8")
        places = {"{{token}}": self.server.token, "{{session}}": self.server.session, "{{nonce}}": nonce}
        for place, value in places.items():
            text = text.replace(place, value)
        policy = (
            f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'; "
            "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
        self._answer(200, "text/html; charset=utf-8", text, {"Content-Security-Policy": policy})

    def _events(self) -> None:
        if not self.server.watchers.acquire(blocking=False):
            self._answer(503, "text/plain", f"{MOST_WATCHERS} pages are open already; close one.")
            return
        try:
            self._head(200, "text/event-stream", {})
            self._events_of(self.server.news())
        finally:
            self.server.watchers.release()

    def _events_of(self, news: Iterator[str]) -> None:
        with contextlib.suppress(OSError):  # the browser went away
            self.wfile.write(b"retry: 1000\n\n")
            for text in news:
                self.wfile.write(f"data: {text}\n\n".encode() if text else b": nothing new\n\n")

    def _answer(self, code: int, kind: str, text: str, more: dict[str, str] | None = None) -> None:
        body = text.encode()
        self._head(code, kind, {"Content-Length": str(len(body)), **(more or {})})
        with contextlib.suppress(OSError):
            self.wfile.write(body)

    def _head(self, code: int, kind: str, more: dict[str, str]) -> None:
        self.send_response(code)
        always = {
            "Content-Type": kind,
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
        }
        for name, value in (always | more).items():
            self.send_header(name, value)
        self.end_headers()
