"""How far two readers of the corpus agree: `make agreement`.

tests/understanding/second_reading.yml holds messages of data/corpus/, drawn by chance, that a second reader has marked
without seeing the marks of the author. `python scripts/agreement.py --draw 300` prints such a sample without marks.
"""

import argparse
import random
import sys
from collections import Counter

from console import ROOT, Failure, main, say

sys.path.insert(0, str(ROOT))

from backtalk import corpus

SECOND = ROOT / "tests" / "understanding" / "second_reading.yml"
SEED = 11


def draw(number: int) -> None:
    """Prints so many messages without their marks."""
    texts = [message.text for message in corpus.all_messages(corpus.load_corpus()) if not message.question]
    say("brief: A second reader\nsplit: test\nmessages: |")
    for text in random.Random(SEED).sample(texts, number):
        say(f"  - {text}")


def agreement(first: dict[str, corpus.Message], second: dict[str, corpus.Message]) -> dict[str, tuple[int, int, float]]:
    """For each kind of finding: marks on which both agree, marks of either, and Cohen's kappa.

    The kappa is of "present", over all messages and ids.
    """
    result = {}
    kinds = corpus.labels()
    for kind in dict.fromkeys(kinds.values()):
        names = [name for name in kinds if kinds[name] == kind]
        either, both = 0, 0
        table: Counter[tuple[bool, bool]] = Counter()
        for text, one in second.items():
            mine = {(m.id, m.status) for m in first[text].mentions if m.id in names}
            theirs = {(m.id, m.status) for m in one.mentions if m.id in names}
            either, both = either + len(mine | theirs), both + len(mine & theirs)
            for name in names:
                table[name in first[text].ids(), name in one.ids()] += 1
        result[kind] = (both, either, kappa(table))
    return result


def kappa(table: Counter[tuple[bool, bool]]) -> float:
    """Cohen's kappa of two readers' yes and no, from how often each pair was given."""
    whole = sum(table.values())
    seen = (table[True, True] + table[False, False]) / whole
    yes = (table[True, True] + table[True, False]) / whole * (table[True, True] + table[False, True]) / whole
    no = (table[False, False] + table[False, True]) / whole * (table[False, False] + table[True, False]) / whole
    return (seen - yes - no) / (1 - yes - no) if yes + no < 1 else 1.0


def work() -> None:
    """Prints the agreement. Raises Failure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draw", type=int, help="print so many messages without marks, for a second reader")
    number = parser.parse_args().draw
    if number:
        draw(number)
        return
    first = {message.text: message for message in corpus.all_messages(corpus.load_corpus()) if not message.question}
    second = {message.text: message for message in corpus.load_file(SECOND).messages}
    strangers = [text for text in second if text not in first]
    if strangers:
        raise Failure(f"{len(strangers)} messages of {SECOND.name} are not in the corpus; the first: {strangers[0]}")
    say(f"{len(second)} messages, marked by two readers\n")
    say(f"{'':12}{'same mark and assertion':>26}{'kappa of present':>20}")
    for kind, (both, either, value) in agreement(first, second).items():
        say(f"{kind:12}{f'{both / max(either, 1):.1%} of {either}':>26}{value:>20.2f}")


if __name__ == "__main__":
    main(work)
