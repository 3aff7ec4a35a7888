"""Where the time of a message goes: `python scripts/breakdown.py`.

Plays the conversations of bench/conversations.yml against the trained model inside this process, without the REST
channel, and prints the median time of a message with and without what saves most of it, and then its parts as they
are. What Rasa itself takes, `make bench` measures.
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from console import ROOT, Failure, main, say
from servers import HOST, answers, free_port
from train import ENVIRONMENT, MODEL, train

ROUNDS = 4
VARIANTS = {
    "apart": "with the actions in a server of their own",
    "actions": "with the actions in the same process",
    "ours": "and with conversations remembered",
}
IN_PROCESS = ("actions", "ours")
# Stages of Rasa's processor, in the order in which a message goes through them.
STAGES = {
    "fetch_tracker_and_update_session": "conversation read from SQLite",
    "parse_message": "message understood",
    "run_action_extract_slots": "screened, slots filled",
    "_predict_next_with_tracker": "next action predicted",
    "_run_action": "action run",
    "save_tracker": "conversation written to SQLite",
}
TOTAL, REST = "total", "between these"


class Clock:
    """Adds up, for each message, the milliseconds spent in functions."""

    def __init__(self) -> None:
        self.messages: list[dict[str, float]] = []

    def wrap(self, owner: Any, method: str, label: str) -> None:
        """Times a method of an object."""
        function = getattr(owner, method)

        def add(began: float) -> None:
            if self.messages:
                self.messages[-1][label] += (time.perf_counter() - began) * 1000

        async def timed_async(*arguments: Any, **options: Any) -> Any:
            began = time.perf_counter()
            try:
                return await function(*arguments, **options)
            finally:
                add(began)

        def timed(*arguments: Any, **options: Any) -> Any:
            began = time.perf_counter()
            try:
                return function(*arguments, **options)
            finally:
                add(began)

        setattr(owner, method, timed_async if asyncio.iscoroutinefunction(function) else timed)

    def medians(self) -> dict[str, float]:
        """The median of each label over all messages."""
        labels = {label for message in self.messages for label in message}
        return {label: statistics.median(message.get(label, 0.0) for message in self.messages) for label in labels}


def measure(variant: str, actions_url: str) -> dict[str, float]:
    """The medians of one variant, by stage and by component."""
    sys.path.insert(0, str(ROOT))
    from backtalk.engine import prepare_rasa

    prepare_rasa()
    import logging

    from rasa.core.agent import load_agent
    from rasa.core.utils import AvailableEndpoints
    from rasa.utils.log_utils import configure_structlog
    from ruamel.yaml import YAML

    from backtalk.engine.actions import ActionsInProcess, load_actions
    from backtalk.engine.shortcuts import take_shortcuts

    configure_structlog(logging.WARNING)
    take_shortcuts()
    conversations = YAML(typ="safe").load(ROOT / "bench" / "conversations.yml")

    async def talk() -> dict[str, float]:
        endpoints = AvailableEndpoints.read_endpoints(str(ROOT / "endpoints.yml"))
        if variant != "ours":
            endpoints.tracker_store.kwargs["remembered"] = 0
        if variant in IN_PROCESS:
            endpoints.action = ActionsInProcess(load_actions("actions"), actions_url)
        agent = await load_agent(str(MODEL), endpoints=endpoints)
        clock = Clock()
        for method, label in STAGES.items():
            clock.wrap(agent.processor, method, label)
        for name, node in agent.processor.graph_runner._instantiated_nodes.items():
            clock.wrap(node, "_fn", f"  {name.removeprefix('run_').rsplit('.', 1)[-1].rstrip('0123456789')}")
        for number in range(ROUNDS + 1):
            for messages in conversations:
                sender = uuid.uuid4().hex
                for message in messages:
                    if number:
                        clock.messages.append(defaultdict(float))
                    began = time.perf_counter()
                    await agent.handle_text(message, sender_id=sender)
                    if number:
                        clock.messages[-1][TOTAL] = (time.perf_counter() - began) * 1000
                        staged = sum(clock.messages[-1].get(label, 0.0) for label in STAGES.values())
                        clock.messages[-1][REST] = clock.messages[-1][TOTAL] - staged
        return clock.medians()

    return asyncio.run(talk())


def in_process_of_its_own(variant: str) -> dict[str, float]:
    """The medians of a variant. Raises Failure."""
    port = free_port()
    url = f"http://{HOST}:{port}/webhook"
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            **os.environ,
            **ENVIRONMENT,
            "BACKTALK_ACTIONS_URL": url,
            "SANIC_HOST": HOST,
            "BACKTALK_TRACKER_DB": str(Path(folder) / "conversations.db"),
        }
        options: dict[str, Any] = {"cwd": ROOT, "env": environment, "stderr": subprocess.DEVNULL}
        command = [sys.executable, "-m", "backtalk.engine", "actions", "--port", str(port)]
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL, **options) if variant not in IN_PROCESS else None
        try:
            _wait_until(lambda: server is None or answers(f"http://{HOST}:{port}/health"))
            command = [sys.executable, "-W", "ignore", __file__, "--one", variant, url]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False, **options)
        finally:
            if server:
                server.terminate()
                server.wait()
    if done.returncode:
        raise Failure(f"The variant {variant!r} could not be measured: run `{' '.join(command)}` to see why.")
    return json.loads(done.stdout.splitlines()[-1])


def _wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise Failure("The action server did not start.")
        time.sleep(0.2)


def work() -> None:
    """Prints the tables. Raises Failure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--one", nargs=2, metavar=("VARIANT", "URL"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(measure(*arguments.one)))
        return
    train()
    medians = {variant: in_process_of_its_own(variant) for variant in VARIANTS}
    say("A message, median, ms")
    for variant, title in VARIANTS.items():
        say(f"{medians[variant][TOTAL]:8.1f}  {title}")
    ours = medians["ours"]
    say("\nIts parts as they are, median of each, ms (a message takes several predictions and actions)")
    for label in (*STAGES.values(), REST):
        say(f"{ours[label]:8.1f}  {label}")
    say("\nOf this, in components of the model")
    for label, value in sorted(ours.items(), key=lambda pair: -pair[1]):
        if label.startswith("  "):
            say(f"{value:8.1f}  {label.strip()}")


if __name__ == "__main__":
    main(work)
