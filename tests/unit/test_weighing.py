"""Wording and meaning weighed: what counts, what is asked about, what is not taken to be said."""

import pytest

from backtalk.language.assertion import DENIED, HYPOTHETICAL, OTHER, PATIENT, PRESENT, UNCERTAIN
from backtalk.language.findings import Finding
from backtalk.language.meaning import Mention
from backtalk.language.model_files import ModelFileError
from backtalk.language.weighing import (
    ASKS,
    HINTED,
    NOT_SAID,
    NOTHING,
    SAID,
    SAYS,
    Weights,
    enough_wording,
    group,
    load_weights,
    weigh,
)

# said, hinted, not_said, present, whole, unsure, mentioned, intercept
WEIGHTS = Weights((2.0, 0.5, -2.0, 1.0, 0.0, 0.0, 0.0, 0.0), sure=0.7, ask=0.3)
TEXT = "shivering all night, low back"


def mention(present, mentioned=None, status="present"):
    return Mention("fever", present if mentioned is None else mentioned, present, present, 0.0, status, 0, 9)


def fever(status=PRESENT, experiencer=PATIENT, weak=False):
    return Finding("red_flag", "fever", "shivering", 0, 9, status, experiencer, weak)


def weighed(findings=(), worded=None, found=None, reach=1000):
    weights = dict.fromkeys(("red_flag", "region", "onset", "caution", "sign"), WEIGHTS)
    return weigh(findings, {"fever": worded} if worded else {}, {"fever": found} if found else {}, weights, TEXT, reach)


@pytest.mark.parametrize(
    "wording, present, decision",
    [
        (SAID, 0.9, SAYS),
        (SAID, 0.1, ASKS),
        (SAID, 0.001, NOTHING),
        (HINTED, 0.5, ASKS),
        (None, 0.9, SAYS),
        (None, 0.5, ASKS),
        (None, 0.1, NOTHING),
        (NOT_SAID, 0.9, ASKS),
        (NOT_SAID, 0.5, NOTHING),
    ],
)
def test_both_speak(wording, present, decision):
    assert WEIGHTS.decide(wording, mention(present)) == decision


@pytest.mark.parametrize("status", ["denied", "other", "past"])
def test_what_a_phrase_says_and_the_encoder_hears_in_another_sense_is_neither_said_nor_asked(status):
    assert WEIGHTS.decide(SAID, mention(0.001, 0.95, status), enough=[SAID]) == NOTHING


def test_what_a_phrase_says_and_the_encoder_hears_as_a_question_is_asked_about():
    assert WEIGHTS.decide(SAID, mention(0.001, 0.95, "asked"), enough=[SAID]) == ASKS
    assert WEIGHTS.decide(HINTED, mention(0.001, 0.95, "asked"), enough=[SAID]) == NOTHING


def test_a_certain_phrase_that_the_encoder_does_not_know_is_asked_about():
    assert (WEIGHTS.decide(SAID, None), WEIGHTS.decide(SAID, None, enough=[SAID])) == (NOTHING, ASKS)
    names = ("bladder_bowel", "fever", "fall", "lumbar")
    assert [enough_wording(name) for name in names] == [(SAID, HINTED), (SAID,), (), ()]
    assert [f.status for f in weighed([fever()], SAID, None)] == [UNCERTAIN]


def test_where_the_encoder_does_not_read_the_wording_alone_decides():
    assert weighed([fever()], SAID, None, reach=0) == [fever()]


def test_only_the_mention_that_is_meant_is_changed():
    denied = Finding("red_flag", "fever", "fever", 11, 16, DENIED, PATIENT)
    found = weighed([fever(), denied], SAID, mention(0.99))
    assert [(f.start, f.status) for f in found] == [(0, PRESENT), (11, DENIED)]


def test_what_only_the_meaning_hears_is_found_with_the_words():
    (found,) = weighed(found=mention(0.9))
    assert (found.kind, found.id) == ("red_flag", "fever")
    assert (found.said, found.status, found.start) == ("shivering", PRESENT, 0)


def test_what_is_half_sure_is_asked_about():
    (found,) = weighed(found=mention(0.5))
    assert found.status == UNCERTAIN


def test_what_is_mentioned_but_not_said_keeps_its_assertion():
    assert [(f.status, f.experiencer) for f in weighed(found=mention(0.05, 0.9, "denied"))] == [(DENIED, PATIENT)]
    assert [(f.status, f.experiencer) for f in weighed(found=mention(0.05, 0.9, "other"))] == [(PRESENT, OTHER)]
    assert weighed(found=mention(0.05, 0.2, "denied")) == []


def test_without_weights_everything_stays():
    assert weigh([fever()], {"fever": SAID}, {"fever": mention(0.001, 0.9, "denied")}, {}, TEXT, 1000) == [fever()]


def test_weights_that_are_missing_are_named(tmp_path):
    with pytest.raises(ModelFileError, match="make weigh"):
        load_weights(tmp_path / "weighing.yml")


def test_the_meaning_can_take_back_what_the_wording_says():
    (found,) = weighed([fever()], SAID, mention(0.001, 0.9, "denied"))
    assert found.status == DENIED
    (found,) = weighed([fever(UNCERTAIN)], HINTED, mention(0.001, 0.9, "asked"))  # no emergency
    assert found.status == HYPOTHETICAL


def test_the_meaning_can_assert_what_the_rules_took_for_denied():
    (found,) = weighed([fever(DENIED)], NOT_SAID, mention(0.999))
    assert found.status == PRESENT


def test_words_that_count_only_as_answers_stay():
    answer = fever(weak=True)
    assert weighed([answer]) == [answer]


def test_findings_that_are_not_weighed_stay():
    pain = Finding("complaint", "pain", "sore", 0, 4)
    assert weighed([pain]) == [pain]


def test_an_onset_that_raises_a_flag_is_weighed_as_a_flag():
    groups = [group(name) for name in ("fall", "sleep", "fever", "lumbar", "yes")]
    assert groups == ["red_flag", "onset", "red_flag", "region", None]


def test_the_shipped_weights_are_usable(knowledge):
    weights = load_weights()
    names = (*knowledge.red_flags, *knowledge.regions, *knowledge.cautions, *knowledge.signs, *knowledge.onsets)
    assert set(map(group, names)) == set(weights)
    for kind, chosen in weights.items():
        assert 0 < chosen.ask <= chosen.sure < 1, kind
        assert chosen.probability(None, None) < chosen.ask, f"a {kind} that nobody mentions would be found"
