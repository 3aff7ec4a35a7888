"""The corpus: its format, its faults, and what the shipped one must hold."""

from collections import Counter

import pytest

from backtalk import corpus
from backtalk.corpus import CorpusError, parse

HEADER = "brief: somebody\nsplit: train\nmessages: |\n"


def marks(line):
    """The marks of a line: id, status, value and the words."""
    message = parse(line)
    return [(m.id, m.status, m.value, message.said(m)) for m in message.mentions]


class TestMarks:
    def test_the_text_is_what_the_visitor_typed(self):
        assert parse("- my [low back](lumbar) since [monday](duration monday)!").text == "my low back since monday!"

    def test_a_mark_says_that_the_finding_is_there_or_how_it_is_not(self):
        line = "- no [fever](fever denied), mum has [thin bones](osteoporosis other), [fell off a wall](fall)"
        assert marks(line) == [
            ("fever", "denied", None, "fever"),
            ("osteoporosis", "other", None, "thin bones"),
            ("fall", "present", None, "fell off a wall"),
        ]

    def test_words_can_mean_two_things(self):
        assert [m[:2] for m in marks("- [knocked off my bike](accident; fall past)")] == [
            ("accident", "present"),
            ("fall", "past"),
        ]

    @pytest.mark.parametrize(
        "line, value",
        [
            ("- [a week](duration 7)", "7"),
            ("- since [may](duration may)", "may"),
            ("- [six](pain 6)", "6"),
            ("- [nah](answer no)", "no"),
            ("- the [last one](item last)", "last"),
        ],
    )
    def test_quantities_and_answers_have_a_value(self, line, value):
        assert parse(line).mentions[0].value == value

    def test_an_answer_names_the_question(self):
        message = parse("- @flags_to_confirm/fever [nope](answer no)")
        assert (message.question, message.flag, message.text) == ("flags_to_confirm", "fever", "nope")

    @pytest.mark.parametrize(
        "line, reason",
        [
            ("my back", "begins with"),
            ("- [hot](feverish)", "no label"),
            ("- [hot](fever maybe)", "status"),
            ("- [long](duration)", "needs"),
            ("- [long](duration ages)", "needs"),
            ("- [bad](pain 11)", "needs"),
            ("- [my [low back](lumbar)](fever)", "not complete"),
            ("- my [low back](lumbar", "not complete"),
            ("- @weather sunny", "no question"),
            ("- @flags_to_confirm/sneezing no", "no question"),
            ("- @flags_to_confirm no", "no question"),
            ("- @flags-to-confirm/fever yes", "no question"),
            ("- @onset/fever yes", "no question"),
            ("- @warning_signs: none", "no question"),
            ("- @warning_signs [that](item 0)", "place in the list"),
            ("- ", "characters"),
            ("- " + "a" * 2001, "characters"),
        ],
    )
    def test_a_fault_is_named(self, line, reason):
        with pytest.raises(CorpusError, match=reason):
            parse(line)


class TestFiles:
    @pytest.fixture
    def write(self, tmp_path):
        def write(text):
            path = tmp_path / "author.yml"
            path.write_text(text, encoding="utf-8")
            return path

        return write

    def test_every_fault_comes_with_file_and_line(self, write):
        path = write(HEADER + "  - fine\n  - [x](y)\n\n  - also fine\n  - Fine!\n")
        file, faults = corpus.read_file(path)
        assert [message.text for message in file.messages] == ["fine", "also fine", "Fine!"]
        assert [fault.split(": ")[0] for fault in faults] == [f"{path}, line 5", f"{path}, line 8"]
        with pytest.raises(CorpusError, match="line 5"):
            corpus.load_file(path)

    @pytest.mark.parametrize(
        "text", ["[]", "brief: x\nsplit: train\n", "brief: x\nsplit: later\nmessages: |\n  - a\n", "a: [\n"]
    )
    def test_a_file_of_another_form_is_refused(self, write, text):
        with pytest.raises(CorpusError):
            corpus.read_file(write(text))

    def test_a_message_knows_its_line(self, write):
        path = write(HEADER + "  - one\n  - two\n")
        assert [message.line for message in corpus.load_file(path).messages] == [4, 5]
        assert path.read_text().splitlines()[4] == "  - two"


class TestShippedCorpus:
    @pytest.fixture(scope="class")
    @classmethod
    def files(cls):
        return corpus.load_corpus()

    def test_it_has_the_promised_size(self, files):
        assert len(list(corpus.all_messages(files))) >= 4000
        assert {file.split for file in files} == set(corpus.SPLITS)

    def test_no_message_stands_in_two_files(self, files):
        texts = Counter((m.question, m.flag, corpus.plain(m.text)) for m in corpus.all_messages(files))
        assert [text for text, number in texts.items() if number > 1] == []

    def test_each_red_flag_has_examples_of_both_sides(self, files, knowledge):
        counts = Counter(
            (m.id, m.status == corpus.PRESENT) for message in corpus.all_messages(files) for m in message.mentions
        )
        few = {flag: (counts[flag, True], counts[flag, False]) for flag in knowledge.red_flags}
        assert {flag: pair for flag, pair in few.items() if pair[0] < 120 or pair[1] < 60} == {}

    def test_three_in_ten_messages_have_no_red_flag(self, files, knowledge):
        messages = list(corpus.all_messages(files))
        assert sum(message.ids().isdisjoint(knowledge.red_flags) for message in messages) >= 0.3 * len(messages)


def test_a_file_that_is_not_utf8_is_named(tmp_path):
    path = tmp_path / "mine.yml"
    path.write_bytes("brief: caf\u00e9\nsplit: train\nmessages: |\n  - sore\n".encode("cp1252"))
    with pytest.raises(corpus.CorpusError, match=r"mine\.yml: not UTF-8"):
        corpus.load_file(path)


def test_the_digest_changes_with_the_files(tmp_path):
    path = tmp_path / "mine.yml"
    path.write_text("brief: b\nsplit: train\nmessages: |\n  - sore\n")
    files = [corpus.load_file(path)]
    before = corpus.digest(files)
    assert before == corpus.digest(files)
    path.write_text("brief: b\nsplit: train\nmessages: |\n  - sorer\n")
    assert corpus.digest(files) != before
