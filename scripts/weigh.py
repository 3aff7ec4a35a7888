"""Chooses how wording and meaning are weighed, on the development part of the corpus, and writes models/weighing.yml.

`python scripts/weigh.py [--compare]`; --compare also measures what else could hear the red flags: the wording alone,
and linear classifiers on the sentence encoder that is not tuned, over whole messages and over their clauses.
"""

import argparse
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from console import ROOT, main, say
from ruamel.yaml import YAML

sys.path.insert(0, str(ROOT))

from backtalk import corpus, paths
from backtalk.knowledge import load_phrases
from backtalk.language import Reader
from backtalk.language.meaning import Mention, load_meaning
from backtalk.language.weighing import FEATURES, NOTHING, Weights, enough_wording, features, group

# Of the messages without a red flag, so many may have one set, and so many one asked about.
MOST_SET, MOST_ASKED = 0.02, 0.09
FLAGS = "red_flag"
# What the weights are without any example: said, hinted, not_said, present, whole, unsure, mentioned, intercept.
PRIOR = np.array([3.0, 1.0, -1.0, 1.0, 0.3, 0.0, 0.0, 0.0])
_CLAUSE = re.compile(r"[.,;:!?\n]+|\b(?:and|but|because|so|then|while)\b")


@dataclass(frozen=True)
class Evidence:
    """A message with what the wording and the model make of each finding."""

    message: corpus.Message
    author: str
    worded_as: Mapping[str, str]
    mentions: Mapping[str, Mention]

    def rows(self, kind: str) -> Iterable[tuple[str, tuple[float, ...], bool]]:
        """Id, features and truth of the findings of a kind that anything speaks for.

        Those that the writer leaves open are no example.
        """
        unsure = self.message.ids(corpus.UNSURE)
        present = self.message.ids()
        for name in sorted({*self.worded_as, *self.mentions}):
            if group(name) == kind and (name not in unsure or name in present):
                yield name, features(self.worded_as.get(name), self.mentions.get(name)), name in present


def gather(files: Iterable[corpus.CorpusFile]) -> list[Evidence]:
    """The evidence of messages that open a conversation."""
    phrases = load_phrases()
    reader = Reader(phrases.kinds, phrases.vocabulary, phrases.assertion, phrases.standing, load_meaning())
    told = [(file.path.stem, message) for file in files for message in file.messages if not message.question]
    readings = [(author, message, reader.read(message.text)) for author, message in told]
    return [Evidence(message, author, reading.worded_as, reading.mentions) for author, message, reading in readings]


def fit(evidence: Sequence[Evidence], kind: str) -> Weights:
    """The regression of a kind, with the threshold that gives the best F1.

    The weights stay near PRIOR where the development part says little: both listeners are believed, and a phrase
    speaks for its finding.
    """
    from scipy.optimize import minimize

    rows = [row for one in evidence for row in one.rows(kind)]
    inputs, truth = np.array([row[1] for row in rows]), np.array([row[2] for row in rows])

    def loss(values: npt.NDArray[np.float64]) -> float:
        scores = inputs @ values
        return float((np.logaddexp(0, scores) - truth * scores).sum() + ((values - PRIOR) ** 2).sum() / 2)

    values = minimize(loss, PRIOR, method="L-BFGS-B").x
    probabilities = 1 / (1 + np.exp(-inputs @ values))
    thresholds = np.arange(0.3, 0.71, 0.02)
    best = thresholds[int(np.argmax([f1(probabilities >= threshold, truth) for threshold in thresholds]))]
    return Weights(tuple(map(float, values)), round(float(best), 2), round(float(best), 2))


def f1(found: npt.NDArray[np.bool_], truth: npt.NDArray[np.bool_]) -> float:
    """The harmonic mean of precision and recall."""
    return 2 * float((found & truth).sum()) / max(float(found.sum() + truth.sum()), 1.0)


def with_thresholds(weights: Weights, evidence: Sequence[Evidence]) -> Weights:
    """The thresholds for red flags: as low as the alarms in messages without one allow."""
    free = [one for one in evidence if _is_free(one.message)]
    highest = sorted((_highest(weights, one) for one in free), reverse=True)
    # A red flag that nobody told must be unlikely, however few alarms the development part gives.
    sure = round(max(_just_above(highest, MOST_SET), 0.5), 3)
    only_rules = Weights(weights.values, sure, sure)
    anyway = sum(_is_alarmed(only_rules, one) for one in free) / max(len(free), 1)
    rest = sorted((_highest(weights, one) for one in free if not _is_alarmed(only_rules, one)), reverse=True)
    ask = _just_above(rest, max(MOST_SET + MOST_ASKED - anyway, 0.0))
    return Weights(weights.values, sure, round(min(max(ask, 0.03), sure), 3))


def _is_alarmed(weights: Weights, evidence: Evidence) -> bool:
    names = [name for name in {*evidence.worded_as, *evidence.mentions} if group(name) == FLAGS]
    return any(
        weights.decide(evidence.worded_as.get(name), evidence.mentions.get(name), enough_wording(name)) != NOTHING
        for name in names
    )


def _highest(weights: Weights, evidence: Evidence) -> float:
    return max(_of(evidence, weights.probability).values(), default=0.0)


def _is_free(message: corpus.Message) -> bool:
    """Whether a message has no red flag, not even one in doubt."""
    return not any(
        m.status in (corpus.PRESENT, corpus.UNSURE) and group(m.id) == FLAGS
        for m in message.mentions
        if m.id in corpus.labels()
    )


def _just_above(descending: Sequence[float], share: float) -> float:
    """The threshold that at most a share of the numbers reach."""
    allowed = int(share * len(descending))
    return descending[allowed] + 1e-3 if allowed < len(descending) else 0.0


def write(weights: Mapping[str, Weights], about: str) -> None:
    """Writes models/weighing.yml."""
    content = {
        "about": about,
        "weights": {
            kind: {
                "sure": w.sure,
                "ask": w.ask,
                "values": {name: round(value, 4) for name, value in zip(FEATURES, w.values, strict=True)},
            }
            for kind, w in weights.items()
        },
    }
    with paths.WEIGHING.open("w", encoding="utf-8") as stream:
        YAML().dump(content, stream)


Scores = Callable[[corpus.Message], Mapping[str, float]]


def compare(evidence: Sequence[Evidence]) -> None:
    """Prints how well several ways hear the red flags of the development part.

    Each author is weighed with what the others taught.
    """
    authors = {one.author for one in evidence}
    elsewhere = {author: fit([one for one in evidence if one.author != author], FLAGS) for author in authors}
    by_wording = {"said": 1.0, "hinted": 0.5}
    linear, linear_by_clause = _linear(by_clause=False), _linear(by_clause=True)
    ways: dict[str, list[Mapping[str, float]]] = {
        "wording and assertion rules": [_of(one, lambda w, m: by_wording.get(w or "", 0.0)) for one in evidence],
        "tuned encoder, tokens": [_of(one, lambda w, m: m.present if m else 0.0) for one in evidence],
        "tuned encoder, whole message": [_of(one, lambda w, m: m.whole if m else 0.0) for one in evidence],
        "wording and tuned encoder weighed (Backtalk)": [
            _of(one, elsewhere[one.author].probability) for one in evidence
        ],
        "linear on the plain encoder, whole message": [linear(one.message) for one in evidence],
        "linear on the plain encoder, whole and by clause": [linear_by_clause(one.message) for one in evidence],
    }
    from sklearn.metrics import average_precision_score

    flags = [name for name in corpus.labels() if group(name) == FLAGS]
    truth = np.array([[flag in one.message.ids() for flag in flags] for one in evidence])
    free = np.array([_is_free(one.message) for one in evidence])
    title = "red flags of the development part"
    say(f"\n{title:52}{'average precision':>20}{'heard, 3 % of the flagless alarmed':>38}")
    for name, scores_of_all in ways.items():
        scores = np.array([[found.get(flag, 0.0) for flag in flags] for found in scores_of_all])
        threshold = _just_above(sorted(scores[free].max(axis=1), reverse=True), 0.03)
        precision = average_precision_score(truth.ravel(), scores.ravel())
        say(f"{name:52}{precision:>20.3f}{(scores[truth] >= threshold).mean():>38.1%}")


def _of(evidence: Evidence, score: Callable[[str | None, Mention | None], float]) -> dict[str, float]:
    names = [name for name in {*evidence.worded_as, *evidence.mentions} if group(name) == FLAGS]
    return {name: score(evidence.worded_as.get(name), evidence.mentions.get(name)) for name in names}


def _linear(by_clause: bool) -> Scores:
    """Logistic regressions on the plain encoder, one a flag, trained on the part `train`."""
    from sklearn.linear_model import LogisticRegression

    from backtalk.nlu.encoder import MiniLM

    encoder = MiniLM(2)

    def encode(texts: Sequence[str]) -> npt.NDArray[np.float32]:
        return np.concatenate([encoder.encode(texts[start : start + 64]) for start in range(0, len(texts), 64)])

    taught = [m for m in corpus.all_messages(corpus.load_corpus(split="train")) if not m.question]
    vectors = encode([message.text for message in taught])
    models = {}
    for flag in (label for label in corpus.labels() if group(label) == FLAGS):
        model = LogisticRegression(C=10.0, max_iter=500, class_weight="balanced")
        models[flag] = model.fit(vectors, [flag in m.ids() for m in taught])

    def scores(message: corpus.Message) -> Mapping[str, float]:
        parts = [part for part in _CLAUSE.split(message.text) if len(part.split()) > 2] if by_clause else []
        matrix = encode([message.text, *parts])
        return {flag: float(model.predict_proba(matrix)[:, 1].max()) for flag, model in models.items()}

    return scores


def work() -> None:
    """Weighs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--compare", action="store_true", help="measure other ways too")
    arguments = parser.parse_args()
    evidence = gather(corpus.load_corpus(split="development"))
    kinds = dict.fromkeys(kind for kind in map(group, corpus.labels()) if kind is not None)
    weights = {kind: fit(evidence, kind) for kind in kinds}
    weights[FLAGS] = with_thresholds(weights[FLAGS], evidence)
    write(weights, f"written by make weigh from {len(evidence)} messages of the development part")
    for kind, chosen in weights.items():
        say(f"{kind:10} sure from {chosen.sure:.2f}, asked from {chosen.ask:.2f}")
    if arguments.compare:
        compare(evidence)


if __name__ == "__main__":
    main(work)
