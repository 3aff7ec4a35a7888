"""Words for the person concerned and for somebody who writes for another."""

import pytest

from backtalk.knowledge import load_knowledge
from backtalk.wording import Audience, days_in_words, listed, lower, personal, quoted, upper

QUESTION = "Just to be safe: [have you|has he] hurt [your|his] neck, and [do you|does he] need help?"


@pytest.mark.parametrize(
    "pronoun, text",
    [
        ("you", "Just to be safe: have you hurt your neck, and do you need help?"),
        ("he", "Just to be safe: has he hurt his neck, and does he need help?"),
        ("she", "Just to be safe: has she hurt her neck, and does she need help?"),
        ("they", "Just to be safe: have they hurt their neck, and do they need help?"),
    ],
)
def test_speaks_to_the_one_or_of_the_other(pronoun, text):
    assert personal(QUESTION, pronoun) == text


@pytest.mark.parametrize(
    "text, they",
    [
        ("[You need|He needs] rest", "They need rest"),
        ("[You were|He was] not sure", "They were not sure"),
        ("[Do you|Does he] take [your|his] tablets?", "Do they take their tablets?"),
        ("bring [you|him]", "bring them"),
        ("[you matter|he matters] here", "they matter here"),
    ],
)
def test_verbs_follow_they(text, they):
    assert personal(text, "they") == they


def test_leaves_references_and_plain_text_alone():
    assert personal("See [1, 2] and {emergency_number}.", "she") == "See [1, 2] and {emergency_number}."


def test_fills_in_the_settings():
    audience = Audience({"emergency_number": "999"}, "she")
    assert audience.text("Call {emergency_number} for [you|him].") == "Call 999 for her."


def test_every_text_of_the_knowledge_speaks_to_everyone(knowledge):
    records = [
        *knowledge.red_flags.values(),
        *knowledge.signs.values(),
        *knowledge.cautions.values(),
        *knowledge.relief.values(),
        *knowledge.urgency.values(),
        *knowledge.combinations,
        knowledge.open_list,
        knowledge.child,
    ]
    texts = [value for record in records for value in vars(record).values() if isinstance(value, str)]
    for pronoun in ("you", "he", "she", "they"):
        worded = [Audience(knowledge.settings, pronoun).text(text) for text in texts]
        assert not [text for text in worded if set(text) & set("[]{}|")]


@pytest.mark.parametrize(
    "days, words",
    [(None, "not known"), (0, "since today"), (0.5, "since today"), (1, "about 1 day"), (14, "about 14 days")],
)
def test_days_in_words(days, words):
    assert days_in_words(days) == words


def test_small_things():
    assert listed(["a", "b", "c"], "or") == "a, b or c"
    assert (upper("neck"), upper("")) == ("Neck", "")
    assert (lower("A fall"), lower("MRI scans"), lower("Neck")) == ("a fall", "MRI scans", "neck")
    assert (quoted("it [hurts|aches]"), quoted(None)) == ("“it [hurts|aches]”", "“”")


class TestSettings:
    @pytest.mark.parametrize("locale, number", [("en-GB", "999"), ("en_US", "911"), ("AU", "000"), ("en-nz", "111")])
    def test_are_those_of_the_visitors_country(self, knowledge, locale, number):
        assert knowledge.settings_for(locale)["emergency_number"] == number

    @pytest.mark.parametrize("locale", [None, "", "en", "de-XX", "x" * 35, "{}"])
    def test_are_the_sites_own_where_the_country_is_not_known(self, knowledge, locale):
        assert knowledge.settings_for(locale) == knowledge.settings

    def test_of_the_environment_hold_for_everybody(self, monkeypatch):
        from backtalk.knowledge import loader

        monkeypatch.setenv("BACKTALK_EMERGENCY_NUMBER", "144")
        loader._load_knowledge.cache_clear()
        try:
            found = load_knowledge().settings_for("en-GB")
        finally:
            monkeypatch.undo()
            loader._load_knowledge.cache_clear()
        assert (found["emergency_number"], found["crisis_line"]) == ("144", "Samaritans on 116 123")
