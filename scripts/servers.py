"""Starts and stops a bot."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from http.client import HTTPException
from pathlib import Path
from typing import IO, Any

from console import LOGS, ROOT, Failure, say, tail
from train import ENVIRONMENT, MODEL

HOST = "127.0.0.1"
# On these, it answers on localhost too.
EVERYWHERE = (HOST, "localhost", "0.0.0.0", "::")
START_SECONDS = 180
STOP_SECONDS = 8
# A running bot is looked at so often, and waited for so long; so many times in a row it may be mute.
LOOK_SECONDS, PATIENCE = 5.0, 3
# How long it is waited before it is started again, the first time, the second and so on.
# Once it was calm for so long, the pauses begin anew.
PAUSES, CALM_SECONDS = (1.0, 2.0, 5.0, 15.0, 60.0), 300.0
LARGE_LOG = 20 * 1024 * 1024


def ports() -> "tuple[int, int]":
    """The ports of the bot and of its action server, from BACKTALK_PORT and BACKTALK_ACTIONS_PORT. Raises Failure."""
    return _port("BACKTALK_PORT", 5005), _port("BACKTALK_ACTIONS_PORT", 5055)


class Bot:
    """The bot and its actions, one process, from `start` to `stop`; use it in a `with` block."""

    def __init__(
        self,
        port: int,
        actions_port: int,
        host: str = HOST,
        database: Path = ROOT / "var" / "conversations.db",
        logs: Path = LOGS,
        arguments: Sequence[str] = (),
        model: Path = MODEL,
        environment: Mapping[str, str] | None = None,
    ):
        place = "localhost" if host in EVERYWHERE else f"[{host}]" if ":" in host else host
        self.url = f"http://{place}:{port}"
        self._ports = {"bot": port, "action server": actions_port}
        self._database, self._log = database, logs / "bot.log"
        self._environment = dict(environment or {})
        self._command = [
            sys.executable,
            "-m",
            "backtalk.engine",
            "serve",
            "--model",
            str(model),
            "--interface",
            host,
            "--port",
            str(port),
            "--actions-port",
            str(actions_port),
            *arguments,
        ]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Bot":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int | None:
        """The number of its process, while there is one."""
        return self._process.pid if self._process else None

    @property
    def log(self) -> Path:
        """Where its words go."""
        return self._log

    def start(self, on_wait: Callable[[float], None] | None = None) -> None:
        """Starts it and waits until it answers; `on_wait` is called with the seconds so far. Raises Failure."""
        for name, port in self._ports.items():
            check_free(name, port)
        make_private(self._database.parent)
        make_private(self._log.parent)
        environment = {**os.environ, **ENVIRONMENT, "BACKTALK_TRACKER_DB": str(self._database), **self._environment}
        with open_log(self._log) as stream:
            # A session of its own, so that Ctrl-C reaches this program first and children of the bot end with it.
            self._process = subprocess.Popen(
                self._command,
                cwd=str(ROOT),
                stdout=stream,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
            )
        try:
            self._wait(on_wait)
        except BaseException:
            self.stop()
            raise

    def watch(self, every: float = LOOK_SECONDS, patience: int = PATIENCE) -> None:
        """Returns only by raising Failure: when the bot has ended, or has not answered `patience` times in a row."""
        mute = 0
        while True:
            self._check_alive()
            mute = 0 if answers(f"{self.url}/health/live", LOOK_SECONDS) else mute + 1
            if mute >= patience:
                raise Failure(
                    f"The bot does not answer any more. The last words of {self._log.name}:\n{tail(self._log)}"
                )
            self._sleep(every)

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

    def _wait(self, on_wait: Callable[[float], None] | None) -> None:
        began = time.monotonic()
        while (found := health(self.url)) is None or not found["model"]:
            self._check_alive()
            waited = time.monotonic() - began
            if waited > START_SECONDS:
                raise Failure(f"The bot did not answer within {START_SECONDS} s: see {self._log}.")
            if on_wait:
                on_wait(waited)
            time.sleep(0.25)
        if not found["store"]:
            say(f"The bot answers, but conversations cannot be kept in {self._database}: see {self._log}.")

    def _sleep(self, seconds: float) -> None:
        """Sleeps, but not longer than the bot lives."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and self._process and self._process.poll() is None:
            time.sleep(0.2)

    def _check_alive(self) -> None:
        if self._process and self._process.poll() is not None:
            raise Failure(
                f"The bot ended by itself (exit code {self._process.returncode}): "
                "mend what its log says and start again. "
                f"The last words of {self._log.name}:\n{tail(self._log)}"
            )


def keep_running(bot: Bot, pauses: Sequence[float] = PAUSES, calm: float = CALM_SECONDS) -> None:
    """Watches a bot that was started, and starts it again when it has ended or is mute.

    The pauses before that grow until it was calm for long.
    """
    tried = 0
    while True:
        began = time.monotonic()
        try:
            bot.watch()
        except Failure as failure:
            say(f"\n{failure}")
        bot.stop()
        tried = 0 if time.monotonic() - began >= calm else tried
        while True:
            pause = pauses[min(tried, len(pauses) - 1)]
            tried += 1
            say(f"Starting it again in {pause:.0f} s ...")
            time.sleep(pause)
            try:
                bot.start()
            except Failure as failure:
                say(f"\n{failure}")
                continue
            say(f"Backtalk is ready again: chat at {bot.url}/chat")
            break


def make_private(folder: Path) -> None:
    """Makes a folder that only its owner can look into; one that is there already stays as it is."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def open_log(path: Path) -> IO[str]:
    """A log to be added to, which only its owner can read. One that has grown large is kept beside it once."""
    if path.is_file() and path.stat().st_size > LARGE_LOG:
        path.replace(path.with_name(f"{path.name}.1"))
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.fchmod(descriptor, 0o600)
    return os.fdopen(descriptor, "a", encoding="utf-8")


def check_free(name: str, port: int) -> None:
    """Raises Failure when a port is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            variable = "BACKTALK_PORT" if name == "bot" else "BACKTALK_ACTIONS_PORT"
            raise Failure(
                f"Port {port}, which the {name} needs, is in use: end what uses it, "
                f"or choose another with {variable}=..."
            ) from None


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _port(variable: str, default: int) -> int:
    text = os.environ.get(variable, "") or str(default)
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise Failure(f"{variable} must be a port from 1 to 65535, not {text!r}: set another.")
    return int(text)


def answers(address: str, seconds: float = 2) -> bool:
    """Whether something answers a GET of this address, in time and well."""
    try:
        with urllib.request.urlopen(address, timeout=seconds):
            return True
    except (OSError, HTTPException):
        return False


def health(url: str) -> dict[str, Any] | None:
    """What a bot says of itself at /health/ready, or None when it does not answer.

    It is a dictionary with "model" and "store".
    """
    try:
        with urllib.request.urlopen(f"{url}/health/ready", timeout=5) as reply:
            found = json.load(reply)
    except urllib.error.HTTPError as error:
        # Not ready, and it says what is missing.
        with error:
            found = json.load(error) if error.code == 503 else None
    except (OSError, HTTPException, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)
