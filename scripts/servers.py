"""Starts and stops a bot."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Callable, Optional, Sequence

from console import LOGS, ROOT, Failure, tail
from train import ENVIRONMENT, MODEL

HOST = "127.0.0.1"
START_SECONDS = 180
STOP_SECONDS = 8


def ports() -> "tuple[int, int]":
    """The ports of the bot and of its action server, from BACKTALK_PORT and BACKTALK_ACTIONS_PORT. Raises Failure."""
    return _port("BACKTALK_PORT", 5005), _port("BACKTALK_ACTIONS_PORT", 5055)


class Bot:
    """The bot and its actions, one process, from `start` to `stop`; use it in a `with` block."""

    def __init__(
        self, port: int, actions_port: int, host: str = HOST, database: Path = ROOT / "var" / "conversations.db",
        logs: Path = LOGS, arguments: Sequence[str] = (), model: Path = MODEL,
    ):
        self.url = f"http://localhost:{port}"
        self._ports = {"bot": port, "action server": actions_port}
        self._database, self._log = database, logs / "bot.log"
        self._command = [
            sys.executable, "-m", "backtalk.engine", "serve", "--model", str(model), "--interface", host,
            "--port", str(port), "--actions-port", str(actions_port), *arguments,
        ]
        self._process: Optional[subprocess.Popen] = None

    def __enter__(self) -> "Bot":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, on_wait: Optional[Callable[[float], None]] = None) -> None:
        """Starts it and waits until it answers; `on_wait` is called with the seconds so far. Raises Failure."""
        for name, port in self._ports.items():
            check_free(name, port)
        self._database.parent.mkdir(parents=True, exist_ok=True)
        self._log.parent.mkdir(parents=True, exist_ok=True)
        environment = {**os.environ, **ENVIRONMENT, "BACKTALK_TRACKER_DB": str(self._database)}
        with self._log.open("w", encoding="utf-8") as stream:
            # A session of its own, so that Ctrl-C reaches this program first and children of the bot end with it.
            self._process = subprocess.Popen(
                self._command, cwd=str(ROOT), stdout=stream, stderr=subprocess.STDOUT, env=environment, start_new_session=True
            )
        try:
            self._wait(on_wait)
        except BaseException:
            self.stop()
            raise

    def watch(self) -> None:
        """Returns only by raising Failure, when the bot has ended."""
        while True:
            self._check_alive()
            time.sleep(0.5)

    def stop(self) -> None:
        """Ends it, first kindly."""
        if self._process is None:
            return
        _signal(self._process, signal.SIGTERM)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            _signal(self._process, signal.SIGKILL)
            self._process.wait()
        self._process = None

    def _wait(self, on_wait: Optional[Callable[[float], None]]) -> None:
        began = time.monotonic()
        while not answers(f"{self.url}/"):
            self._check_alive()
            waited = time.monotonic() - began
            if waited > START_SECONDS:
                raise Failure(f"The bot did not answer within {START_SECONDS} s: see {self._log.relative_to(ROOT)}.")
            if on_wait:
                on_wait(waited)
            time.sleep(0.25)

    def _check_alive(self) -> None:
        if self._process and self._process.poll() is not None:
            raise Failure(
                f"The bot ended by itself (exit code {self._process.returncode}): mend what its log says and start again. "
                f"The last words of {self._log.name}:\n{tail(self._log)}"
            )


def check_free(name: str, port: int) -> None:
    """Raises Failure when a port is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            variable = "BACKTALK_PORT" if name == "bot" else "BACKTALK_ACTIONS_PORT"
            raise Failure(
                f"Port {port}, which the {name} needs, is in use: end what uses it, or choose another with {variable}=..."
            ) from None


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def _port(variable: str, default: int) -> int:
    text = os.environ.get(variable, "") or str(default)
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise Failure(f"{variable} must be a port from 1 to 65535, not {text!r}: set another.")
    return int(text)


def answers(address: str) -> bool:
    """Whether something answers a GET of this address."""
    try:
        with urllib.request.urlopen(address, timeout=2):
            return True
    except (urllib.error.URLError, OSError):
        return False


def _signal(process: subprocess.Popen, number: int) -> None:
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        pass
