"""What the pages of the tests stand on: the bot, a site of somebody else's, and a watch over what goes wrong."""

import os
import re
import signal
import threading
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from playwright.sync_api import ConsoleMessage, Page
from servers import Bot, free_port

ROOT = Path(__file__).resolve().parent.parent.parent
WEB = "backtalk.channels.web.WebInput"
RATES = ("session_rate", "address_rate", "new_session_rate", "reading_rate")
CHECK_IN_HOURS = "0.0004"
KEY = "a key of the tests with 32 characters or more"
SITE_CSS = "html { font-size: 62.5% } * { color: red; font-size: 40px !important; letter-spacing: 9px }"


class HostSite:
    """A site with pages of its own on which the chat stands, under the strictest policy that lets it in."""

    def __init__(self) -> None:
        self.pages: dict[str, tuple[str, dict[str, str]]] = {}
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                content, headers = site.pages.get(self.path, ("", {}))
                self.send_response(200 if content else 404)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content.encode())

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        # One server, two origins: the bot lets only the first in.
        self.allowed, self.not_allowed = f"http://localhost:{self.port}", f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def put(self, path: str, content: str, **headers: str) -> None:
        """Puts a page on the site; the headers have _ for -."""
        kinds = {"Content-Type": "text/html; charset=utf-8"}
        self.pages[path] = content, {**kinds, **{name.replace("_", "-"): value for name, value in headers.items()}}

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class WebBot:
    """A bot whose database can be looked into, and which can be killed and started again on the same ports."""

    def __init__(self, folder: Path, origin: str) -> None:
        credentials = yaml.safe_load((ROOT / "credentials.yml").read_text())
        # All visitors of the tests come from one address.
        credentials[WEB].update(dict.fromkeys(RATES, "10000/minute"))
        path = folder / "credentials.yml"
        path.write_text(yaml.safe_dump(credentials))
        self.database = folder / "conversations.db"
        self._origin = origin
        arguments = ["--credentials", str(path)]
        self._bot = Bot(free_port(), free_port(), database=self.database, logs=folder, arguments=arguments)
        self.url = self._bot.url

    def start(self) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("BACKTALK_ORIGINS", self._origin)
            patch.setenv("BACKTALK_SESSION_KEY", KEY)
            patch.setenv("BACKTALK_CHECK_IN_HOURS", CHECK_IN_HOURS)
            self._bot.start()

    def kill(self) -> None:
        """Ends it in the middle of whatever it does."""
        if self._bot._process:
            os.killpg(self._bot._process.pid, signal.SIGKILL)
        self._bot.stop()


class Watch:
    """Notes whatever goes wrong on the pages of a test: errors, violations of a policy, and requests to other hosts."""

    def __init__(self, *hosts: str) -> None:
        self._hosts, self._expected = [f"{host}/" for host in hosts], []
        self._problems: list[str] = []

    def follow(self, page: Page) -> None:
        """Watches a page from now on."""
        page.on("console", self._note_words)
        page.on("pageerror", lambda error: self._problems.append(f"page error: {error}"))
        page.on("request", lambda request: self._note_address(request.url))

    def expects(self, pattern: str) -> None:
        """A problem that matches this belongs to the test."""
        self._expected.append(pattern)

    def allows(self, host: str) -> None:
        """A host that the test itself brought in."""
        self._hosts.append(f"{host}/")

    @property
    def problems(self) -> list[str]:
        """What went wrong and was not expected."""
        return [one for one in self._problems if not any(re.search(pattern, one) for pattern in self._expected)]

    def _note_words(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self._problems.append(f"{message.type}: {message.text} ({message.location.get('url', '')})")

    def _note_address(self, address: str) -> None:
        if not address.startswith((*self._hosts, "data:", "blob:")):
            self._problems.append(f"a request to {address}")


def site_page(bot: str, settings: "dict[str, str]", css: str = "") -> str:
    """A page with the chat and these settings."""
    data = "".join(f' data-{name}="{escape(value)}"' for name, value in settings.items())
    return (
        '<!doctype html><html lang="en"><head><title>A site</title><link rel="icon" href="data:,">'
        f"<style>{css}</style></head>"
        f'<body><main><h1>A site</h1></main><script src="{bot}/chat/widget.js"{data}></script></body></html>'
    )
