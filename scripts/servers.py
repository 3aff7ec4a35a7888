"""Starts and stops the two servers of a bot: Rasa's and the action server."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Callable, Dict, List, Optional, Sequence

from console import LOGS, ROOT, Failure, tail
from train import ENVIRONMENT, MODEL

HOST = "127.0.0.1"
START_SECONDS = 180
STOP_SECONDS = 8


def ports() -> "tuple[int, int]":
    """The ports of the bot and of its action server, from BACKTALK_PORT and BACKTALK_ACTIONS_PORT. Raises Failure."""
    return _port("BACKTALK_PORT", 5005), _port("BACKTALK_ACTIONS_PORT", 5055)


class Bot:
    """Both servers, from `start` to `stop`; use it in a `with` block."""

    def __init__(
        self, port: int, actions_port: int, host: str = HOST, database: Path = ROOT / "var" / "conversations.db",
        logs: Path = LOGS, arguments: Sequence[str] = (), model: Path = MODEL,
    ):
        self.url = f"http://localhost:{port}"
        self._ports = {"bot": port, "action server": actions_port}
        self._host, self._database, self._logs = host, database, logs
        self._arguments, self._model = list(arguments), model
        self._processes: Dict[str, subprocess.Popen] = {}

    def __enter__(self) -> "Bot":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, on_wait: Optional[Callable[[float], None]] = None) -> None:
        """Starts both and waits until both answer; `on_wait` is called with the seconds so far. Raises Failure."""
        for name, port in self._ports.items():
            check_free(name, port)
        self._database.parent.mkdir(parents=True, exist_ok=True)
        self._logs.mkdir(parents=True, exist_ok=True)
        python, port, actions_port = sys.executable, self._ports["bot"], self._ports["action server"]
        try:
            self._launch("action server", [python, "-m", "rasa_sdk", "--actions", "actions", "--port", str(actions_port)])
            self._launch(
                "bot",
                [python, "-m", "rasa", "run", "--model", str(self._model), "--interface", self._host, "--port", str(port),
                 *self._arguments],
            )
            self._wait({"action server": f"http://{HOST}:{actions_port}/health", "bot": f"http://{HOST}:{port}/"}, on_wait)
        except BaseException:
            self.stop()
            raise

    def watch(self) -> None:
        """Returns only by raising Failure, when one of the servers has ended."""
        while True:
            self._check_alive()
            time.sleep(0.5)

    def stop(self) -> None:
        """Ends both, first kindly."""
        for process in self._processes.values():
            _signal(process, signal.SIGTERM)
        until = time.monotonic() + STOP_SECONDS
        for process in self._processes.values():
            try:
                process.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                _signal(process, signal.SIGKILL)
                process.wait()
        self._processes.clear()

    def _launch(self, name: str, command: List[str]) -> None:
        environment = {
            **os.environ, **ENVIRONMENT,
            "BACKTALK_ACTIONS_URL": f"http://{HOST}:{self._ports['action server']}/webhook",
            "BACKTALK_TRACKER_DB": str(self._database),
            "SANIC_HOST": HOST,
        }
        with self._log(name).open("w", encoding="utf-8") as stream:
            # A session of its own, so that Ctrl-C reaches this program first and children of the servers end with them.
            self._processes[name] = subprocess.Popen(
                command, cwd=str(ROOT), stdout=stream, stderr=subprocess.STDOUT, env=environment, start_new_session=True
            )

    def _wait(self, addresses: Dict[str, str], on_wait: Optional[Callable[[float], None]]) -> None:
        began = time.monotonic()
        while addresses:
            self._check_alive()
            addresses = {name: address for name, address in addresses.items() if not answers(address)}
            waited = time.monotonic() - began
            if addresses and waited > START_SECONDS:
                name = next(iter(addresses))
                raise Failure(f"The {name} did not answer within {START_SECONDS} s: see {self._log(name).relative_to(ROOT)}.")
            if on_wait:
                on_wait(waited)
            time.sleep(0.25)

    def _check_alive(self) -> None:
        for name, process in self._processes.items():
            if process.poll() is not None:
                raise Failure(
                    f"The {name} ended by itself (exit code {process.returncode}): mend what its log says and start again. "
                    f"The last words of {self._log(name).name}:\n{tail(self._log(name))}"
                )

    def _log(self, name: str) -> Path:
        return self._logs / f"{name.replace(' ', '-')}.log"


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
