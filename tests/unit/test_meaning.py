"""The tuned encoder: what it hears, where, and that only the file on record is used."""

import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtalk import corpus, paths
from backtalk.language.meaning import Meaning, load_meaning
from backtalk.language.model_files import ModelFileError

MEANING = load_meaning()


def test_it_knows_the_labels_of_the_corpus():
    assert set(MEANING.labels) == {*corpus.labels(), corpus.DURATION, corpus.PAIN}


@pytest.mark.parametrize(
    "text, finding, status",
    [
        ("I was rear-ended at a crossing and now my neck is stiff", "accident", "present"),
        ("no fever, just a sore low back", "fever", "denied"),
        ("my sister has osteoporosis, my own back is only tight", "osteoporosis", "other"),
        ("what if I lose control of my bladder?", "bladder_bowel", "asked"),
    ],
)
def test_it_hears_a_finding_and_its_assertion(text, finding, status):
    assert MEANING.read(text)[finding].status == status


def test_the_words_of_a_finding_are_where_they_stand():
    text = "hello there, my low back is in spasm since the weekend"
    found = MEANING.read(text)["lumbar"]
    assert "low back" in text[found.start : found.end] and found.end - found.start < 20


def test_a_sign_at_the_end_of_a_long_story_is_heard():
    story = "I have been decorating the spare room and thinking about which colour to take for the window frames. " * 14
    assert MEANING.read(story + "Also I cannot hold my urine any more.")["bladder_bowel"].present > 0.5


def test_what_says_nothing_mentions_nothing():
    assert [m for m in MEANING.read("what time does the louvre open").values() if m.mentioned > 0.5] == []


@pytest.mark.parametrize("text", ["", " ", "\x00\x01", "😀" * 500, "a" * 20_000])
def test_odd_text_is_read(text):
    assert all(0 <= m.present <= m.mentioned + 1e-6 <= 1 + 1e-5 for m in MEANING.read(text).values())


@given(st.text(max_size=300))
def test_every_place_is_in_the_text(text):
    for mention in MEANING.read(text).values():
        assert 0 <= mention.start <= mention.end <= len(text)


def test_another_file_than_the_one_on_record_is_refused(tmp_path):
    model = tmp_path / "findings.onnx"
    with pytest.raises(ModelFileError, match="missing"):
        Meaning(model)
    shutil.copy(paths.FINDINGS_MODEL.with_suffix(".yml"), model.with_suffix(".yml"))
    model.write_bytes(b"something else")
    with pytest.raises(ModelFileError, match="altered"):
        Meaning(model)
