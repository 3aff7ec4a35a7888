"""Of whom a message speaks."""

import pytest

from backtalk.knowledge import load_phrases
from backtalk.language.people import read_age, read_people
from backtalk.language.reader import load_wording_reader

RELATIVES = load_phrases().relatives


@pytest.mark.parametrize(
    "text, relation, pronoun, child",
    [
        ("my mum has hurt her back", "mum", "she", "no"),
        ("asking for my elderly father in law", "father", "he", "no"),
        ("my mums back is in spasm", "mum", "she", "no"),
        ("its for my daughter", "daughter", "she", "maybe"),
        ("my toddler holds his neck", "toddler", "he", "yes"),
        ("my kid hurt the back", "kid", "they", "yes"),
        ("my partner, she woke up with it", "partner", "she", "no"),
        ("writing for someone, his back locked up", None, "he", "no"),
        ("it is not my back", None, "they", "no"),
    ],
)
def test_the_other_person(text, relation, pronoun, child):
    people = read_people(text, RELATIVES, about_another=True)
    assert (people.relation, people.relative.pronoun, people.relative.child) == (relation, pronoun, child)


@pytest.mark.parametrize(
    "text, age",
    [
        ("my daughter is 9 and her back hurts", 9),
        ("my 8yo son", 8),
        ("a 15-year-old boy", 15),
        ("he's 12.", 12),
        ("aged 70", 70),
        ("my eight year old", 8),
        ("8 months old", 0),
        ("she is in primary school", 8),
        ("he is a grown man", 18),
        ("my son has had it for 3 weeks", None),
        ("the pain is 7 out of 10", None),
        ("he is 6 weeks post op", None),
        ("since 3 days", None),
    ],
)
def test_age(text, age):
    assert read_age(text) == age


@pytest.mark.parametrize(
    "text, age",
    [("im 14 and my back hurts", 14), ("I'm 5 weeks pregnant", None), ("my 3 year old jumped on my back", None)],
)
def test_the_writers_own_age(text, age):
    assert read_people(text, RELATIVES, about_another=False).age == age


@pytest.mark.parametrize(
    "text",
    [
        "my 8 year old son has a sore lower back",
        "my 8-year-old has back pain",
        "our 5 year old has back ache",
        "my teenage daughter has lower back pain",
    ],
)
def test_somebodys_child_is_the_patient(text):
    reading = load_wording_reader().read(text)
    assert reading.patient == "other"


@pytest.mark.parametrize("text", ["my 3 year old jumped on my back", "i picked up my 5 year old and my neck went"])
def test_ones_own_back_is_ones_own(text):
    assert load_wording_reader().read(text).patient == "self"
