"""Checks the corpus and counts what is in it: `python scripts/corpus.py [FILE...]`.

Every fault is named with file, line and reason. With no FILE, all of data/corpus/ is checked, also for messages that
stand in two files, and for how many examples each red flag has.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from console import ROOT, Failure, main, say
from ruamel.yaml import YAML

sys.path.insert(0, str(ROOT))

from backtalk import corpus, paths
from backtalk.language.weighing import group


def count(files: Sequence[corpus.CorpusFile]) -> None:
    """Prints how often each finding is marked, by assertion."""
    messages = list(corpus.all_messages(files))
    counts = Counter((mention.id, mention.status) for message in messages for mention in message.mentions)
    flags = [name for name in corpus.labels() if group(name) == "red_flag"]
    rest = [name for name in (*corpus.labels(), corpus.DURATION, corpus.PAIN) if name not in flags]
    say(f"{'':24}{'present':>9}{'not':>7}   " + "".join(f"{status:>9}" for status in corpus.STATUSES[1:]))
    for name in (*flags, *rest):
        other = [counts[name, status] for status in corpus.STATUSES[1:]]
        each = "".join(f"{number:>9}" for number in other)
        say(f"{name:24}{counts[name, corpus.PRESENT]:>9}{sum(other):>7}   {each}")
    free = sum(1 for message in messages if not any(message.ids() & {flag} for flag in flags))
    say(f"{len(messages)} messages, {free} of them ({free / max(len(messages), 1):.0%}) with no red flag present")


def is_newer_than_the_encoder(files: Iterable[corpus.CorpusFile]) -> bool:
    """Whether what the tuned encoder was made from has changed."""
    record = YAML(typ="safe").load(paths.FINDINGS_MODEL.with_suffix(".yml"))
    taught = [file for file in files if file.split == "train"]
    return bool(record["made_from"] != corpus.digest(taught, sorted((ROOT / "data" / "nlu").glob("*.yml"))))


def work() -> None:
    """Checks and counts. Raises Failure where the corpus has faults."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", type=Path, nargs="*")
    given = parser.parse_args().files
    files, faults = [], []
    where: dict[tuple[str | None, str | None, str], Path] = {}
    for path in given or sorted(paths.CORPUS.glob("*.yml")):
        try:
            file, found = corpus.read_file(path)
        except (corpus.CorpusError, OSError) as error:
            faults.append(str(error))
            continue
        faults += found
        files.append(file)
        for message in file.messages:
            key = (message.question, message.flag, corpus.plain(message.text))
            first = where.setdefault(key, path)
            if first != path:
                faults.append(f"{path}, line {message.line}: the same message stands in {first}")
    for split in corpus.SPLITS if not given else ():
        mine = [file for file in files if file.split == split]
        say(f"{split}: {sum(len(file.messages) for file in mine)} messages of {len(mine)} authors")
    count(files)
    if faults:
        raise Failure("\n".join(faults))
    if not given and is_newer_than_the_encoder(files):
        say("\nThe corpus has changed since the encoder was tuned to it; `make tune` brings the change into effect.")


if __name__ == "__main__":
    main(work)
