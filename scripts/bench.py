"""Trains Rasa's default configuration and Backtalk's on the same data and prints them side by side.

`python scripts/bench.py --help` lists the options. Trained models are kept in var/bench/ and used again while the data
they come from stay as they are. Writes docs/benchmark.json, which scripts/picture.py draws.
"""

import argparse
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from http.client import HTTPConnection
from importlib.metadata import version
from pathlib import Path
from typing import Any

from console import LOGS, ROOT, Failure, main, run, say
from ruamel.yaml import YAML
from servers import HOST, answers, free_port
from setup import ENVIRONMENTS, VENV, venv_python
from train import ENVIRONMENT, SOURCES
from understanding import HELD_OUT, OUT_OF_SCOPE

BENCH = ROOT / "bench"
DEFAULT = BENCH / "default" / "config.yml"
OURS = ROOT / "config.yml"
TRAINED_ON = ("nlu", "rules", "stories")
# Models are kept here, because training the default takes most of an hour.
MODELS = ROOT / "var" / "bench"
UNSEEN_PATHS = ROOT / "tests" / "dialogue" / "unseen_paths.yml"
RESULTS = ROOT / "docs" / "benchmark.json"
ROUNDS = 10
ODD_MESSAGES = (
    " ",
    "\n\t",
    "😀😀😀",
    "\x00\x01\x1f",
    "....!!??",
    "<script>alert(1)</script>",
    "1234567890" * 30,
    "a" * 1900,
    "back " * 2000,
    "word and word " * 700,
    "今日は背中が痛いです",
    "мне больно",
    "/",
    "/inform{",
    "{slot} ${x} %s",
)
START_SECONDS = 300
# Out-of-scope rejection is compared at the threshold that keeps so many of the messages in scope.
KEPT = 0.95
DATA_OPTION = {"train": "--data", "nlu": "--nlu", "core": "--stories"}


class Contender:
    """One of the two bots: how it is trained, started and measured."""

    def __init__(self, name: str, config: Path, tensorflow: bool, folder: Path, data: Path):
        self.name, self._config, self._tensorflow, self._folder, self._data = name, config, tensorflow, folder, data
        self._port, self._actions_port = free_port(), free_port()
        # Rasa as it is released has an environment of its own; the actions are ours on both sides.
        self._python = str(venv_python(ENVIRONMENTS["bench"].folder)) if tensorflow else sys.executable
        self._processes: list[subprocess.Popen[bytes]] = []
        self.replies: list[float] = []

    def train(self, command: Sequence[str] = ("train",)) -> float:
        """Trains from nothing, unless an earlier run did so with the same data; the seconds it took. Raises Failure."""
        self._folder.mkdir(parents=True, exist_ok=True)
        record, trained_from = self._folder / "record.json", fingerprint(self._config, self._data, command)
        if record.is_file():
            known = json.loads(record.read_text())
            if known["from"] == trained_from:
                return float(known["seconds"])
            record.unlink()
        began = time.monotonic()
        rasa = [self._python, "-m", "rasa" if self._tensorflow else "backtalk.engine", *command]
        run(
            f"Training: {self.name}",
            [
                *rasa,
                "--config",
                str(self._config),
                DATA_OPTION[command[-1]],
                str(self._data),
                "--out",
                str(self._folder),
                "--fixed-model-name",
                "model",
            ],
            f"bench-train-{self._folder.name}.log",
            f"{self.name} could not be trained.",
            stage=r"Starting to train component '(\w+)'",
            # Nothing is taken from Rasa's cache, so that the time is that of a training from nothing.
            env={**ENVIRONMENT, "RASA_MAX_CACHE_SIZE": "0"},
        )
        seconds = time.monotonic() - began
        record.write_text(json.dumps({"from": trained_from, "seconds": seconds}))
        return seconds

    def start(self) -> float:
        """Starts it; the seconds until everything answers. Raises Failure."""
        actions = f"http://{HOST}:{self._actions_port}"
        environment = {
            **os.environ,
            **ENVIRONMENT,
            "SANIC_HOST": HOST,
            "BACKTALK_ACTIONS_URL": f"{actions}/webhook",
            "BACKTALK_TRACKER_DB": str(self._folder / "conversations.db"),
        }
        address = ["--interface", HOST, "--port", str(self._port)]
        model = ["--model", str(self._folder / "model.tar.gz")]
        if self._tensorflow:
            files = [str(DEFAULT.with_name(name)) for name in ("credentials.yml", "endpoints.yml")]
            commands = [
                [sys.executable, "-m", "backtalk.engine", "actions", "--port", str(self._actions_port)],
                [
                    self._python,
                    "-m",
                    "rasa",
                    "run",
                    *model,
                    *address,
                    "--credentials",
                    files[0],
                    "--endpoints",
                    files[1],
                ],
            ]
        else:
            serve = [self._python, "-m", "backtalk.engine", "serve", *model, *address]
            commands = [[*serve, "--actions-port", str(self._actions_port)]]
        began = time.monotonic()
        for command in commands:
            with (self._folder / f"{command[2]}.log").open("w") as log:
                self._processes.append(
                    subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)
                )
        while not (answers(f"{actions}/health") and answers(f"http://{HOST}:{self._port}/")):
            if time.monotonic() - began > START_SECONDS or any(p.poll() is not None for p in self._processes):
                raise Failure(f"{self.name} did not start: see the logs in {self._folder}.")
            time.sleep(0.1)
        return time.monotonic() - began

    def stop(self) -> None:
        """Ends its processes."""
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
        self._processes.clear()

    def memory(self) -> float:
        """Resident memory of all its processes, in MB."""
        pids = ",".join(str(process.pid) for process in self._processes)
        listed = subprocess.run(["ps", "-o", "rss=", "-p", pids], stdout=subprocess.PIPE, text=True, check=True).stdout
        return sum(map(int, listed.split())) / 1024

    def talk(self, conversations: Sequence[Sequence[str]], times: list[float]) -> None:
        """Plays conversations and adds the time of each reply to `times`, in ms. Raises Failure on an error."""
        connection = HTTPConnection(HOST, self._port, timeout=60)
        for messages in conversations:
            sender = uuid.uuid4().hex
            for message in messages:
                body = json.dumps({"sender": sender, "message": message})
                began = time.perf_counter()
                connection.request("POST", "/webhooks/rest/webhook", body, {"Content-Type": "application/json"})
                answer = connection.getresponse()
                content = answer.read()
                taken = (time.perf_counter() - began) * 1000
                if answer.status != 200:
                    raise Failure(f"{self.name} answered {answer.status} to {message!r}: {content[:200]!r}")
                times.append(taken)

    def understand(self, files: Sequence[Path]) -> list[list[dict[str, Any]]]:
        """What its model makes of files of messages (see scripts/understanding.py)."""
        found: list[list[dict[str, Any]]] = self._ask("understanding.py", *map(str, files))
        return found

    def play(self, stories: Path) -> dict[str, int]:
        """How its policies do on stories (see scripts/paths.py)."""
        counts: dict[str, int] = self._ask("paths.py", str(stories))
        return counts

    def _ask(self, script: str, *arguments: str) -> Any:
        model = str(self._folder / "model.tar.gz")
        command = [self._python, "-W", "ignore", str(ROOT / "scripts" / script), model, *arguments]
        command += ["--tensorflow"] if self._tensorflow else []
        environment = {
            **os.environ,
            **ENVIRONMENT,
            "BACKTALK_ACTIONS_URL": "http://127.0.0.1:9",
            "BACKTALK_TRACKER_DB": "none",
        }
        with (LOGS / f"bench-{script}.log").open("w") as log:
            done = subprocess.run(
                command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=log, text=True, check=False
            )
        if done.returncode:
            raise Failure(f"{script} failed for {self.name}: see {log.name}.")
        return json.loads(done.stdout.splitlines()[-1])


def fingerprint(config: Path, data: Path, command: Sequence[str]) -> str:
    """A digest of what a model is trained from."""
    digest = hashlib.sha256(" ".join(command).encode())
    folders = [data / name for name in TRAINED_ON] + [ROOT / name for name in SOURCES if name.startswith("backtalk/")]
    files = [
        file
        for folder in (*folders, ROOT / "data" / "knowledge")
        for file in folder.rglob("*.*")
        if file.suffix in (".yml", ".py")
    ]
    for path in (config, ROOT / "domain.yml", *sorted(files)):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def thinned(share: int) -> Path:
    """A folder with the training data in which every intent and question has one phrase in `share` left."""
    if share == 1:
        return ROOT / "data"
    folder = MODELS / f"data-{share}"
    shutil.rmtree(folder, ignore_errors=True)
    for name in (*TRAINED_ON, "responses"):
        shutil.copytree(ROOT / "data" / name, folder / name)
    yaml = YAML(typ="safe")
    for path in (folder / "nlu").glob("*.yml"):
        content = yaml.load(path)
        for entry in content["nlu"]:
            entry["examples"] = "".join(entry["examples"].splitlines(keepends=True)[::share])
        with path.open("w", encoding="utf-8") as stream:
            yaml.dump(content, stream)
    return folder


def understanding(contender: Contender, out_of_scope: Path | None) -> dict[str, float]:
    """Shares of messages that a model understands rightly, held-out ones and out-of-scope ones of a file."""
    held_out, *others = contender.understand([HELD_OUT, *([out_of_scope] if out_of_scope else [])])
    ours = [message for message in held_out if message["label"] != OUT_OF_SCOPE]
    elsewhere = [message for message in held_out if message["label"] == OUT_OF_SCOPE]
    result = {
        "intents": _share(_intent(m["best"]) == _intent(m["label"]) for m in ours),
        "answers": _share(m["best"] == m["label"] for m in ours),
        "out_of_scope_held_out": _rejected(ours, elsewhere),
    }
    if others:
        result["out_of_scope_file"] = _rejected(ours, others[0])
    return result


def _rejected(ours: list[dict[str, Any]], others: list[dict[str, Any]]) -> float:
    """The share of others turned away when KEPT of ours are kept, by the better of two scores for this model.

    The scores are the probability that the message is out of scope, and how unsure the model is of every other intent.
    """

    def at(score: Callable[[dict[str, Any]], float]) -> float:
        threshold = sorted(score(message) for message in ours)[int(KEPT * len(ours))]
        return _share(score(message) > threshold for message in others)

    return max(at(lambda m: 0.0 if m["about_a_body"] else m["out_of_scope"] or 0.0), at(lambda m: 1 - m["confidence"]))


def parts(folder: Path, data: Path, out_of_scope: Path | None) -> dict[str, dict[str, Any]]:
    """Every variant of bench/variants.yml, trained and measured."""
    yaml, results = YAML(typ="safe"), {}
    variants, base = yaml.load(BENCH / "variants.yml"), yaml.load(OURS)
    for kind, measure in (
        ("pipeline", lambda c: understanding(c, out_of_scope)),
        ("policies", lambda c: c.play(UNSEEN_PATHS)),
    ):
        for number, variant in enumerate(variants[kind]):
            place = folder / f"{kind}-{number}"
            place.mkdir(parents=True, exist_ok=True)
            config = place / "config.yml"
            with config.open("w", encoding="utf-8") as stream:
                yaml.dump({**base, kind: variant[kind]} if kind in variant else base, stream)
            contender = Contender(variant["name"], config, variant.get("tensorflow", True), place, data)
            seconds = contender.train(("train", "nlu") if kind == "pipeline" else ("train", "core"))
            results[variant["name"]] = {"kind": kind, "training": seconds, **measure(contender)}
    return results


def install_sizes() -> dict[str, float]:
    """Sizes in MB of the environments of both sides."""
    return {"default": _size(ENVIRONMENTS["bench"].folder), "ours": _size(VENV)}


def _size(folder: Path) -> float:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file() and not file.is_symlink()) / 1e6


def compare(folder: Path, data: Path, out_of_scope: Path | None) -> dict[str, dict[str, float]]:
    """Both bots, measured in one run; the bots' names to their figures."""
    contenders = {
        "default": Contender("Rasa's default", DEFAULT, True, folder / "default", data),
        "ours": Contender("Backtalk", OURS, False, folder / "ours", data),
    }
    results: dict[str, dict[str, float]] = {}
    for name, contender in contenders.items():
        results[name] = {"training": contender.train()}
        results[name].update(understanding(contender, out_of_scope))
        results[name].update({f"paths_{key}": value for key, value in contender.play(UNSEEN_PATHS).items()})
    conversations = YAML(typ="safe").load(BENCH / "conversations.yml")
    try:
        for name, contender in contenders.items():
            results[name]["ready"] = contender.start()
        # In turns, so that whatever else the machine does falls on both alike.
        for number in range(ROUNDS + 1):
            for contender in contenders.values():
                contender.talk(conversations, contender.replies if number else [])
        for name, contender in contenders.items():
            results[name]["memory"] = contender.memory()
            for percent in (50, 95, 99):
                results[name][f"p{percent}"] = _percentile(contender.replies, percent)
            results[name]["replies"] = len(contender.replies)
            odd: list[float] = []
            contender.talk([[message] for message in ODD_MESSAGES], odd)
            results[name]["odd"] = max(odd)
    finally:
        for contender in contenders.values():
            contender.stop()
    return results


ROWS = (
    ("answers", "right answers, held-out messages", "{:.1%}"),
    ("intents", "right intents, held-out messages", "{:.1%}"),
    ("out_of_scope_held_out", "out of scope turned away, held-out", "{:.1%}"),
    ("out_of_scope_file", "out of scope turned away, from the file", "{:.1%}"),
    ("paths_share", "right actions on paths nobody wrote down", "{:.1%}"),
    ("p50", "reply over REST, p50, ms", "{:.1f}"),
    ("p95", "reply over REST, p95, ms", "{:.1f}"),
    ("p99", "reply over REST, p99, ms", "{:.1f}"),
    ("odd", "slowest reply to an odd message, ms", "{:.0f}"),
    ("ready", "start until it answers, s", "{:.1f}"),
    ("memory", "resident memory, MB", "{:.0f}"),
    ("training", "training, s", "{:.0f}"),
    ("install", "installed packages, MB", "{:.0f}"),
)


def report(results: dict[str, Any]) -> None:
    """Prints the tables."""
    default, ours = results["default"], results["ours"]
    say(f"\n{results['machine']}")
    if results["share"] > 1:
        say(f"Both are trained on one phrase in {results['share']}.")
    say(f"\n{'':44}{'Rasa default':>14}{'Backtalk':>12}{'':>4}Backtalk / default")
    for key, title, form in ROWS:
        if key in default:
            errors = form.endswith("%}")
            ratio = (1 - ours[key]) / (1 - default[key]) if errors and default[key] < 1 else ours[key] / default[key]
            say(
                f"{title:44}{form.format(default[key]):>14}{form.format(ours[key]):>12}{'':>4}"
                f"{ratio:.2f}{' of the errors' if errors else ''}"
            )
    if "ours_all_phrases" in results:
        whole = results["ours_all_phrases"]
        say(f"\nBacktalk trained on all phrases ({whole['training']:.0f} s):")
        for key, title, form in ROWS:
            if key in whole and key != "training":
                say(f"{title:44}{form.format(whole[key]):>26}")
    if "parts" in results:
        say(
            f"\n{'What could stand in a place of the pipeline':74}"
            f"{'answers':>9}{'intents':>9}{'rejected':>10}{'training':>10}"
        )
        for name, figures in results["parts"].items():
            if figures["kind"] == "pipeline":
                rejected = figures.get("out_of_scope_file", figures["out_of_scope_held_out"])
                say(
                    f"{name:74}{figures['answers']:>9.1%}{figures['intents']:>9.1%}{rejected:>10.1%}"
                    f"{figures['training']:>8.0f} s"
                )
        say(f"\n{'What could stand among the policies':74}{'right actions':>15}{'whole stories':>15}{'training':>10}")
        for name, figures in results["parts"].items():
            if figures["kind"] == "policies":
                actions = f"{figures['right']}/{figures['turns']}"
                say(
                    f"{name:74}{actions:>15}{figures['stories_right']:>12}/{figures['stories']}"
                    f"{figures['training']:>8.0f} s"
                )


def machine(results: dict[str, Any]) -> str:
    """What the figures were measured on and from."""
    names = ("rasa", "scikit-learn", "onnxruntime", "tensorflow-cpu")
    versions = ", ".join(f"{name} {version(name)}" for name in names if _has(name))
    return (
        f"{os.cpu_count()} processors, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}, {versions}; "
        f"{len(YAML(typ='safe').load(HELD_OUT))} held-out messages, {results['ours']['replies']} replies of each bot"
    )


def _has(package: str) -> bool:
    try:
        return bool(version(package))
    except ImportError:
        return False


def _intent(label: str) -> str:
    return label.split("/")[0]


def _share(values: Iterable[bool]) -> float:
    found = list(values)
    return sum(found) / max(len(found), 1)


def _percentile(values: list[float], percent: int) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * percent / 100))]


def work() -> None:
    """Measures. Raises Failure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out-of-scope", type=Path, help="messages about something else, one in a line")
    parser.add_argument("--parts", action="store_true", help="compare every component and policy too")
    parser.add_argument(
        "--fresh", action="store_true", help="train anew what an earlier run trained from the same data"
    )
    parser.add_argument(
        "--share",
        type=int,
        default=1,
        help="train both on one phrase in so many: with all phrases the default takes over an hour on two processors",
    )
    arguments = parser.parse_args()
    file = arguments.out_of_scope
    if file and not file.is_file():
        raise Failure(f"{file} is not there: name another file of out-of-scope messages, or none.")
    if arguments.fresh:
        shutil.rmtree(MODELS, ignore_errors=True)
    LOGS.mkdir(parents=True, exist_ok=True)
    data = thinned(arguments.share)
    folder = MODELS / f"share-{arguments.share}"
    results: dict[str, Any] = compare(folder, data, file)
    for name in ("default", "ours"):
        results[name]["paths_share"] = results[name]["paths_right"] / results[name]["paths_turns"]
    for name, size in install_sizes().items():
        results[name]["install"] = size
    if arguments.parts:
        results["parts"] = parts(folder, data, file)
    if arguments.share > 1:
        whole = Contender("Backtalk, all phrases", OURS, False, MODELS / "share-1" / "ours", ROOT / "data")
        results["ours_all_phrases"] = {"training": whole.train(), **understanding(whole, file)}
    results["share"] = arguments.share
    results["machine"] = machine(results)
    report(results)
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    say(f"\nWritten to {RESULTS.relative_to(ROOT)}")


if __name__ == "__main__":
    main(work)
