"""What `make eval` and `make weigh` compute."""

import subprocess
import sys

import evaluate
import pytest
import weigh

from backtalk import corpus, paths
from backtalk.corpus import parse
from backtalk.language.weighing import Weights


class TestWhatAMessageAsserts:
    def test_labels_become_facts(self):
        facts = evaluate.wanted_facts(
            parse(
                "- [low back](lumbar) went [lifting](lifting), [two days](duration 2), [7](pain 7), "
                "on [warfarin](anticoagulant), mum has [thin bones](osteoporosis other)"
            )
        )
        assert (facts.regions, facts.onset, facts.duration_days, facts.pain_level) == (("lumbar",), "lifting", 2.0, 7.0)
        assert (facts.cautions, facts.red_flags) == (("anticoagulant",), ())

    def test_an_onset_that_raises_a_flag_comes_first(self):
        assert evaluate.wanted_facts(parse("- [ran](sport) and [fell off the kerb flat](fall)")).onset == "fall"

    def test_a_plain_list_of_labels_can_be_measured_too(self, tmp_path):
        path = tmp_path / "mine.yml"
        path.write_text("- text: maybe a fever, low back\n  regions: [lumbar]\n  confirm: [fever]\n  duration: true\n")
        (message,) = evaluate.load(path)
        assert message.ids() == {"lumbar"} and message.ids(corpus.UNSURE) == {"fever", corpus.DURATION}

    @pytest.mark.parametrize(
        "text",
        [
            "- text: a\n  red_flags: [sneezing]\n",
            "- regions: [lumbar]\n",
            "- just a text\n",
            "- text: a\n  regions: lumbar\n",
            "- text: a\n  duration_days: two\n",
            "- text: a\n  pain_level: bad\n",
        ],
    )
    def test_a_label_that_cannot_be_used_is_refused(self, tmp_path, text):
        path = tmp_path / "mine.yml"
        path.write_text(text)
        with pytest.raises(corpus.CorpusError, match=r"mine\.yml, entry 1"):
            evaluate.load(path)


class TestMeasuring:
    def test_a_plain_emergency_is_counted_at_its_level(self):
        figures = evaluate.measure([parse("- I [can't hold my pee](bladder_bowel) and my [low back](lumbar) hurts")])
        assert (figures.counts["grave"], figures.counts["grave_at_level"], figures.counts["grave_left"]) == (1, 1, 0)
        assert figures.flags["bladder_bowel"].recall == 1 and figures.errors == []

    def test_a_miss_is_listed_with_its_text(self):
        figures = evaluate.measure([parse("- [the weather is nice](fever)")])
        assert figures.counts["grave_left"] == 1
        assert ("red flags missed", "fever: the weather is nice") in figures.errors
        assert figures.lost_by["wording"] == figures.lost_by["meaning"] == 1

    def test_a_denied_flag_is_a_decoy(self):
        figures = evaluate.measure([parse("- [low back](lumbar) spasm, no [fever](fever denied)")])
        assert (figures.counts["decoys", "denied"], figures.counts["decoys_set", "denied"]) == (1, 0)

    @pytest.mark.parametrize(
        "line",
        [
            "- @warning_signs [none of those](answer none)",
            "- @warning_signs [1](item 1)",
            "- @pain_level [7](pain 7)",
            "- @flags_to_confirm/fever [yes](answer yes)",
            "- @flags_to_confirm/fever [no](answer no)",
            "- @regions [lower](lumbar)",
            "- @onset [no idea](answer unsure)",
            "- @duration [a week](duration 7)",
        ],
    )
    def test_an_answer_is_taken_with_its_question_open(self, line):
        figures = evaluate.measure([parse(line)])
        assert (figures.counts["answers"], figures.counts["answers_right"]) == (1, 1), figures.errors

    def test_the_tables_name_every_flag(self, knowledge):
        text = evaluate.tables(evaluate.measure([parse("- [hot](fever)")]), "one")
        assert all(flag in text for flag in knowledge.red_flags)

    def test_the_report_holds_the_errors_as_text(self, tmp_path):
        # As `make eval` does it, in a process of its own: behind the placeholders nothing can be drawn.
        lines = [
            "import sys",
            "import evaluate",
            "from eval_report import write",
            "from pathlib import Path",
            "from backtalk.corpus import parse",
            "figures = evaluate.measure([parse('- [<b>the weather</b> is nice](fever)')])",
            "write(figures, '<tables>', Path(sys.argv[1]))",
        ]
        page = tmp_path / "report.html"
        command = [sys.executable, "-c", "\n".join(lines), str(page)]
        done = subprocess.run(command, cwd=paths.ROOT / "scripts", capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        content = page.read_text()
        assert "&lt;b&gt;the weather" in content and "&lt;tables&gt;" in content and "<svg" in content
        assert "<b>the weather" not in content


@pytest.mark.parametrize("part, whole, low, high", [(0, 0, 0.0, 1.0), (10, 10, 0.722, 1.0), (50, 100, 0.404, 0.596)])
def test_wilsons_interval(part, whole, low, high):
    assert evaluate.interval(part, whole) == (pytest.approx(low, abs=1e-3), pytest.approx(high, abs=1e-3))


class TestWeighing:
    WEIGHTS = Weights((4.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, -2.0), 0.5, 0.5)

    def evidence(self, line, **worded_as):
        return weigh.Evidence(parse(line), "somebody", worded_as, {})

    def test_what_the_writer_leaves_open_is_no_example(self):
        one = self.evidence("- maybe [hot](fever unsure), [fell](fall)", fever="said", fall="said", chest_pain="said")
        assert [(name, truth) for name, _, truth in one.rows("red_flag")] == [("chest_pain", False), ("fall", True)]

    def test_thresholds_allow_few_alarms_where_nothing_is(self):
        quiet = [self.evidence(f"- sore number {number}") for number in range(97)]
        alarmed = [self.evidence(f"- sore again {number}", fever="said") for number in range(3)]
        chosen = weigh.with_thresholds(self.WEIGHTS, quiet + alarmed)
        loud = self.WEIGHTS.probability("said", None)
        assert chosen.sure > loud >= chosen.ask

    def test_a_message_with_a_flag_in_doubt_is_not_free_of_flags(self):
        evidence = [self.evidence("- maybe [hot](fever unsure)", fever="said")] * 10
        assert weigh.with_thresholds(self.WEIGHTS, evidence).sure == 0.5
