"""What the scripts compute: the thresholds of `make calibrate` and the figures of `make bench`."""

import calibrate
import pytest
import run
from console import Failure
from understanding import FALLBACK, OUT_OF_SCOPE, Message, Understood

import bench

CONFIG = """\
pipeline:
  # threshold: 0.9 stands in a remark
  - name: backtalk.nlu.scope.ScopeDecision
    out_of_scope_threshold: 0.5
    threshold: 0.3
policies:
  - name: backtalk.policies.screening.ScreeningPolicy
    sure: 0.8
    listen_after: [action_leave]
"""
CHOSEN = {"out_of_scope_threshold": 0.23, "threshold": 0.4, "sure": 0.691}


def understood(best, confidence=0.9, out_of_scope=0.0, about_a_body=False):
    return Understood(best, best, confidence, out_of_scope, about_a_body)


def right(label="faq/causes", **scores):
    """A message and a model that got it right."""
    return Message("words", label), understood(label, **scores)


def wrong(label="faq/causes", best="greet", **scores):
    return Message("words", label), understood(best, **scores)


def elsewhere(out_of_scope=0.9):
    """A message that is out of scope."""
    return Message("words", OUT_OF_SCOPE), understood("chitchat", confidence=0.1, out_of_scope=out_of_scope)


def thresholds(*pairs):
    messages, made_of_them = zip(*pairs, strict=True)
    return calibrate.calibrate(messages, made_of_them)


class TestCalibrating:
    def test_every_threshold_of_the_config_is_a_probability(self):
        found = thresholds(right(), wrong(), elsewhere())
        assert set(found) == {"out_of_scope_threshold", "threshold", "sure"}
        assert all(0 < value < 1 for value in found.values())

    def test_out_of_scope_stands_just_above_the_messages_in_scope(self):
        assert thresholds(*[right(out_of_scope=0.314)] * 9, elsewhere())["out_of_scope_threshold"] == 0.32

    def test_a_message_as_probable_as_the_threshold_would_be_turned_away(self):
        assert thresholds(right(out_of_scope=0.25))["out_of_scope_threshold"] == 0.26

    @pytest.mark.parametrize("messages, threshold", [(199, 0.81), (200, 0.11), (400, 0.11)])
    def test_one_in_two_hundred_messages_may_be_turned_away(self, messages, threshold):
        pairs = [right(out_of_scope=0.8), *[right(out_of_scope=0.1)] * (messages - 1)]
        assert thresholds(*pairs)["out_of_scope_threshold"] == threshold

    def test_a_message_about_a_body_is_never_turned_away_and_does_not_count(self):
        pairs = [right(out_of_scope=0.9, about_a_body=True), *[right(out_of_scope=0.1)] * 9]
        assert thresholds(*pairs)["out_of_scope_threshold"] == 0.11

    def test_messages_out_of_scope_do_not_set_any_threshold(self):
        pairs = [right(out_of_scope=0.2, confidence=0.6), wrong(confidence=0.3)]
        assert thresholds(*pairs) == thresholds(*pairs, *[elsewhere(score / 10) for score in range(10)])

    def test_right_answers_are_given(self):
        assert thresholds(*[right(confidence=0.455)] * 9, wrong(confidence=0.2))["threshold"] == 0.45

    def test_a_right_answer_as_sure_as_the_threshold_is_given(self):
        assert thresholds(right(confidence=0.45))["threshold"] == 0.45

    @pytest.mark.parametrize("answers, threshold", [(99, 0.2), (100, 0.7)])
    def test_one_right_answer_in_a_hundred_may_be_given_up(self, answers, threshold):
        assert thresholds(right(confidence=0.2), *[right(confidence=0.7)] * (answers - 1))["threshold"] == threshold

    def test_wrong_answers_do_not_lower_the_threshold(self):
        assert thresholds(*[right(confidence=0.7)] * 3, *[wrong(confidence=0.1)] * 20)["threshold"] == 0.7

    def test_the_wrong_question_of_the_right_intent_is_no_right_answer(self):
        pairs = [right(confidence=0.7), wrong("faq/causes", "faq/mri", confidence=0.1)]
        assert thresholds(*pairs)["threshold"] == 0.7

    def test_sure_is_where_the_intents_are_right(self):
        assert thresholds(*[right(confidence=0.9)] * 10, *[wrong(confidence=0.604)] * 10)["sure"] == 0.61

    def test_sure_looks_at_intents_not_at_questions(self):
        pairs = [*[right(confidence=0.9)] * 10, *[wrong("faq/causes", "faq/mri", confidence=0.604)] * 10]
        assert thresholds(*pairs)["sure"] == 0.01

    @pytest.mark.parametrize("errors, sure", [(1, 0.01), (2, 0.81)])
    def test_one_intent_in_fifty_may_be_wrong(self, errors, sure):
        pairs = [*[right(confidence=0.9)] * (50 - errors), *[wrong(confidence=0.805)] * errors]
        assert thresholds(*pairs)["sure"] == sure

    def test_a_model_that_is_never_right_is_never_sure(self):
        assert thresholds(*[wrong(best=FALLBACK, confidence=1.0)] * 5)["sure"] == 0.99


class TestWritingThresholds:
    @pytest.fixture
    def config(self, tmp_path, monkeypatch):
        """A configuration to write to."""
        path = tmp_path / "config.yml"
        path.write_text(CONFIG, encoding="utf-8")
        monkeypatch.setattr(calibrate, "CONFIG", path)
        return path

    def test_changes_the_numbers_and_nothing_else(self, config):
        assert calibrate.write(CHOSEN)
        changed = CONFIG.replace("threshold: 0.5", "threshold: 0.23")
        changed = changed.replace("    threshold: 0.3", "    threshold: 0.40")
        assert config.read_text() == changed.replace("sure: 0.8", "sure: 0.69")

    def test_says_that_nothing_changed(self, config):
        calibrate.write(CHOSEN)
        before = config.read_text()
        assert not calibrate.write(CHOSEN)
        assert config.read_text() == before

    @pytest.mark.parametrize(
        "line, instead, found", [("    sure: 0.8\n", "", 0), ("    sure: 0.8\n", "    sure: 0.8\n    sure: 0.7\n", 2)]
    )
    def test_refuses_a_config_without_exactly_one_line_for_a_number(self, config, line, instead, found):
        config.write_text(CONFIG.replace(line, instead))
        with pytest.raises(Failure, match=f"'sure: ...'.* has {found}"):
            calibrate.write(CHOSEN)
        assert config.read_text() == CONFIG.replace(line, instead)

    def test_the_shipped_config_has_a_line_for_each(self, config):
        shipped = (calibrate.ROOT / "config.yml").read_text(encoding="utf-8")
        config.write_text(shipped, encoding="utf-8")
        assert calibrate.write(dict.fromkeys(CHOSEN, 0.015))
        assert config.read_text().count(" 0.01\n") + config.read_text().count(" 0.02\n") == len(CHOSEN)


def scored(out_of_scope=0.0, confidence=1.0, about_a_body=False):
    """A message as scripts/understanding.py prints it."""
    return {"out_of_scope": out_of_scope, "confidence": confidence, "about_a_body": about_a_body}


class TestRejecting:
    # With 20 messages in scope, one of them may be turned away.
    OURS = [scored(out_of_scope=score / 100, confidence=1 - score / 100) for score in range(20)]

    def test_counts_what_is_above_all_but_one_in_twenty_of_ours(self):
        others = [scored(out_of_scope=score, confidence=1.0) for score in (0.05, 0.19, 0.2, 0.9)]
        assert bench._rejected(self.OURS, others) == 0.5

    @pytest.mark.parametrize(
        "others, share",
        [
            ([scored(out_of_scope=0.9, confidence=1.0), scored(out_of_scope=0.0, confidence=1.0)], 0.5),
            ([scored(out_of_scope=0.0, confidence=0.1), scored(out_of_scope=0.0, confidence=0.2)], 1.0),
            ([scored(out_of_scope=0.9, confidence=0.1), scored(out_of_scope=0.0, confidence=0.2)], 1.0),
            ([scored()] * 3, 0.0),
        ],
    )
    def test_uses_the_better_of_two_scores(self, others, share):
        assert bench._rejected(self.OURS, others) == share

    def test_a_model_that_does_not_tell_is_judged_by_how_unsure_it_is(self):
        ours = [scored(out_of_scope=None, confidence=0.9)] * 20
        assert bench._rejected(ours, [scored(out_of_scope=None, confidence=value) for value in (0.2, 0.95)]) == 0.5

    def test_a_message_about_a_body_is_not_turned_away_by_the_first_score(self):
        assert bench._rejected(self.OURS, [scored(out_of_scope=0.9, about_a_body=True)]) == 0.0

    def test_ours_about_a_body_cost_nothing(self):
        ours = [scored(out_of_scope=0.9, about_a_body=True)] * 10 + [scored()] * 10
        assert bench._rejected(ours, [scored(out_of_scope=0.1)]) == 1.0


@pytest.mark.parametrize(
    "values, percent, expected",
    [
        ([5.0], 50, 5.0),
        ([5.0], 99, 5.0),
        ([3, 1, 2], 50, 2),
        (range(100), 50, 50),
        (range(100), 95, 95),
        (range(100), 99, 99),
        (range(100), 100, 99),
        ([9, 1, 1, 1], 0, 1),
    ],
)
def test_percentiles(values, percent, expected):
    assert bench._percentile([*values], percent) == expected


class TestFingerprintOfTraining:
    @pytest.fixture
    def sources(self, tmp_path):
        """A configuration and training data."""
        for name in (*bench.TRAINED_ON, "responses", "knowledge"):
            (tmp_path / name).mkdir()
            (tmp_path / name / "one.yml").write_text(f"{name}: []\n")
        (tmp_path / "config.yml").write_text("pipeline: []\n")
        return tmp_path

    def taken(self, sources, command=("train",)):
        return bench.fingerprint(sources / "config.yml", sources, command)

    def test_is_the_same_for_the_same(self, sources):
        assert self.taken(sources) == self.taken(sources)

    @pytest.mark.parametrize(
        "name", ["config.yml", *(f"{folder}/one.yml" for folder in bench.TRAINED_ON), "nlu/deeper/two.yml"]
    )
    def test_differs_when_a_file_changes(self, sources, name):
        before = self.taken(sources)
        (sources / name).parent.mkdir(exist_ok=True)
        (sources / name).write_text("changed: []\n")
        assert self.taken(sources) != before

    def test_differs_for_another_command(self, sources):
        assert self.taken(sources) != self.taken(sources, ("train", "nlu"))

    @pytest.mark.parametrize("name", ["knowledge/one.yml", "nlu/remarks.txt"])
    def test_is_the_same_when_nothing_changes_that_is_trained_from(self, sources, name):
        before = self.taken(sources)
        (sources / name).write_text("changed: []\n")
        assert self.taken(sources) == before


class TestSessionKey:
    def test_is_made_once_and_kept_for_its_owner_only(self, tmp_path):
        path = tmp_path / "var" / "session.key"
        key = run.session_key(path)
        assert len(key) >= 32 and run.session_key(path) == key
        assert path.stat().st_mode & 0o777 == 0o600

    def test_an_empty_file_is_replaced(self, tmp_path):
        path = tmp_path / "session.key"
        path.touch(mode=0o644)
        assert len(run.session_key(path)) >= 32
        assert path.stat().st_mode & 0o777 == 0o600

    def test_each_is_another(self, tmp_path):
        assert run.session_key(tmp_path / "one") != run.session_key(tmp_path / "two")
