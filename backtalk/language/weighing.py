"""Weighs what the wording says of a finding against what the message means, and decides: there, perhaps, or not.

Wording and assertion rules know what trainers wrote down; the tuned encoder knows the rest. Each finding gets a
probability of being asserted of the patient, by a logistic regression over both; from `sure` on it counts, from `ask`
on the bot asks, below it is not taken to be said. The numbers stand in `models/weighing.yml`; `make weigh` chooses
them on the development part of the corpus.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from math import exp, log
from pathlib import Path

from ruamel.yaml import YAML

from backtalk import corpus, paths
from backtalk.knowledge import load_knowledge
from backtalk.language.assertion import DENIED, HYPOTHETICAL, OTHER, PAST, PATIENT, PRESENT, UNCERTAIN
from backtalk.language.findings import Finding
from backtalk.language.meaning import Mention
from backtalk.language.model_files import ModelFileError

# What the wording can say of a finding.
SAID, HINTED, NOT_SAID = "said", "hinted", "not_said"
WORDINGS = (SAID, HINTED, NOT_SAID)
FEATURES = (*WORDINGS, "present", "whole", "unsure", "mentioned", "intercept")
SAYS, ASKS, NOTHING = "says", "asks", "nothing"
_FLOOR = 1e-4
# A finding that is not taken to be said, but more likely mentioned than not, is passed on with its assertion.
_MENTIONED = 0.5
# So likely in doubt, a finding is asked about however unlikely it is to be there.
_IN_DOUBT = 0.5
_STATUS = {
    corpus.PRESENT: (PRESENT, PATIENT),
    corpus.DENIED: (DENIED, PATIENT),
    corpus.OTHER: (PRESENT, OTHER),
    corpus.ASKED: (HYPOTHETICAL, PATIENT),
    corpus.PAST: (PAST, PATIENT),
    corpus.UNSURE: (UNCERTAIN, PATIENT),
}


@dataclass(frozen=True)
class Weights:
    """The regression of one kind of finding, in the order of FEATURES, and its thresholds (probabilities)."""

    values: tuple[float, ...]
    sure: float
    ask: float

    def probability(self, wording: str | None, mention: Mention | None) -> float:
        """How likely the finding is asserted of the patient."""
        score = sum(weight * value for weight, value in zip(self.values, features(wording, mention), strict=True))
        return 1 / (1 + exp(-max(-30.0, min(30.0, score))))

    def decide(self, wording: str | None, mention: Mention | None, enough: Collection[str] = ()) -> str:
        """SAYS, ASKS or NOTHING.

        Wordings that are `enough` are asked about where the encoder is silent or hears a question.
        """
        probability = self.probability(wording, mention)
        if probability >= self.sure:
            return SAYS
        in_doubt = mention is not None and mention.unsure >= _IN_DOUBT
        is_asked = mention is not None and mention.status == corpus.ASKED
        still_open = is_asked or (wording == SAID and is_silent(mention))
        return ASKS if probability >= self.ask or in_doubt or (still_open and wording in enough) else NOTHING


def is_silent(mention: Mention | None) -> bool:
    """Whether the encoder hears nothing of a finding, in whatever sense."""
    return mention is None or mention.mentioned < _MENTIONED


@cache
def group(name: str) -> str | None:
    """The kind of finding with which an id is weighed: its own, or that of red flags for an onset that raises one."""
    onset = load_knowledge().onsets.get(name)
    return "red_flag" if onset and onset.red_flag else corpus.labels().get(name)


def enough_wording(name: str) -> tuple[str, ...]:
    """How a finding must be worded to be asked about although the encoder does not assert it.

    A red flag must be said, so that a trainer's new phrase works at once; for an emergency a hint is enough ("would
    heat help if I can't feel my groin?"). The words for falls and collisions are too common in other senses.
    """
    if corpus.labels().get(name) != "red_flag":
        return ()
    knowledge = load_knowledge()
    is_emergency = knowledge.red_flags[name].level == knowledge.gravest
    return (SAID, HINTED) if is_emergency else (SAID,)


def features(wording: str | None, mention: Mention | None) -> tuple[float, ...]:
    """What the decision rests on: the wording, and the log-odds of the model's probabilities."""
    words = tuple(float(wording == name) for name in WORDINGS)
    if mention is None:
        return (*words, *(_log_odds(0.0),) * 4, 1.0)
    return (*words, *map(_log_odds, (mention.present, mention.whole, mention.unsure, mention.mentioned)), 1.0)


def _log_odds(probability: float) -> float:
    clipped = min(max(probability, _FLOOR), 1 - _FLOOR)
    return log(clipped / (1 - clipped))


def weigh(
    findings: Sequence[Finding],
    worded_as: Mapping[str, str],
    mentions: Mapping[str, Mention],
    weights: Mapping[str, Weights],
    text: str,
    reach: int,
) -> list[Finding]:
    """The findings of a message once wording and meaning are weighed.

    As they are stay those without weights, those that begin beyond `reach`, where the encoder does not read, and words
    that count only as answers.
    """
    kinds = corpus.labels()
    within = [
        finding for finding in findings if not finding.weak and group(finding.id) in weights and finding.start < reach
    ]
    kept = [finding for finding in findings if finding not in within]
    for name in dict.fromkeys((*(finding.id for finding in within), *mentions)):
        kind = group(name)
        if kind is None or kind not in weights:
            continue
        worded = [finding for finding in within if finding.id == name]
        mention = mentions.get(name)
        decision = weights[kind].decide(worded_as.get(name), mention, enough_wording(name))
        if kind == "region" and worded_as.get(name) == NOT_SAID:
            # The rules know a question about muscles from a place that hurts.
            decision = NOTHING
        meant = _meant(worded, mention)
        kept += [_as_judged(f, decision, mention) if f in meant or decision == NOTHING else f for f in worded]
        if not meant and mention and (decision != NOTHING or mention.mentioned >= _MENTIONED):
            new = Finding(kinds[name], name, text[mention.start : mention.end], mention.start, mention.end)
            heard = _as_judged(new, decision, mention)
            kept.append(replace(heard, status=HYPOTHETICAL, weak=False) if heard.weak else heard)
    return sorted(kept, key=lambda finding: finding.start)


def _meant(worded: Sequence[Finding], mention: Mention | None) -> list[Finding]:
    """Those of the worded findings of one id that the decision is about.

    They stand where the encoder hears it; where it names no place, they are the plainest.
    """
    if mention is None or mention.start == mention.end:
        plainest = [
            finding for finding in worded if finding.status in (PRESENT, UNCERTAIN) and finding.experiencer == PATIENT
        ]
        return plainest or list(worded)
    return [finding for finding in worded if finding.start < mention.end and mention.start < finding.end]


def _as_judged(finding: Finding, decision: str, mention: Mention | None) -> Finding:
    """A finding with the status that was decided."""
    if decision == SAYS:
        return replace(finding, status=PRESENT, experiencer=PATIENT)
    if decision == ASKS:
        return replace(finding, status=UNCERTAIN, experiencer=PATIENT)
    if finding.status not in (PRESENT, UNCERTAIN) or finding.experiencer != PATIENT:
        return finding
    if mention is None or is_silent(mention) or _STATUS[mention.status] == (PRESENT, PATIENT):
        # One listener hears it and the other is not against it: it counts as the answer to a question about it.
        return replace(finding, status=PRESENT, weak=True)
    status, experiencer = _STATUS[mention.status]
    return replace(finding, status=HYPOTHETICAL if status == UNCERTAIN else status, experiencer=experiencer)


def load_weights(path: Path = paths.WEIGHING) -> Mapping[str, Weights]:
    """The weights of each kind of finding, read once. Raises ModelFileError."""
    return _load_weights(path)


@cache
def _load_weights(path: Path) -> Mapping[str, Weights]:
    if not path.is_file():
        raise ModelFileError(
            f"The weights {path.name} are missing: restore {path} from the repository or run `make weigh`."
        )
    content = YAML(typ="safe").load(path)["weights"]
    return {
        kind: Weights(
            tuple(float(entry["values"][name]) for name in FEATURES), float(entry["sure"]), float(entry["ask"])
        )
        for kind, entry in content.items()
    }
