"""Messages as the bot reads them: wording, assertion and meaning together."""

import pytest

from backtalk.language import load_reader
from backtalk.language.reader import LONGEST_READ

READER = load_reader()


def flags(text, status="present"):
    """The red flags, and the onsets that raise them, that a message gives with a status."""
    return {
        f.id
        for f in READER.read(text).findings
        if f.status == status
        and f.experiencer == "patient"
        and not f.weak
        and (f.kind == "red_flag" or f.id in ("accident", "fall"))
    }


def heard(text):
    """What is set or asked about."""
    return flags(text) | flags(text, "uncertain")


@pytest.mark.parametrize(
    "text, flag",
    [
        ("no numbness, but the car behind hit us hard, neck is stiff", "accident"),
        ("asking for my dad who fell off a roof, low back", "fall"),
        ("everything down there has gone to sleep, low back pain", "saddle_numbness"),
        ("my foot slaps when I walk since the low back went", "limb_weakness"),
        ("we rolled the car twice, now my neck hurts", "accident"),
        ("wet myself in the shop and did not notice, low back", "bladder_bowel"),
        ("I had breast cancer ten years ago, mid back aches", "cancer_history"),
    ],
)
def test_a_sign_in_other_words_is_heard(text, flag):
    assert flag in heard(text)


@pytest.mark.parametrize(
    "text, flag",
    [
        ("I feel like ending my life, the back pain is too much", "self_harm"),
        ("since yesterday I can't hold my urine and my lower back hurts", "bladder_bowel"),
        ("my groin and genitals are numb", "saddle_numbness"),
        ("tingling in both legs with a low back spasm", "leg_symptoms_both"),
        ("lower back spasm, and I have lost feeling during sex", "sexual_dysfunction"),
        ("upper back pain with pressure in my chest", "chest_pain"),
        ("a sudden tearing pain in my back, then I fainted", "aortic"),
        ("neck pain and my speech is slurred", "stroke_like"),
        ("fever, a stiff neck and a terrible headache, light hurts my eyes", "meningism"),
        ("neck pain since a car accident yesterday", "accident"),
        ("I fell from a ladder and my low back is in spasm", "fall"),
        ("my left leg is getting weaker and my low back hurts", "limb_weakness"),
        ("neck pain, my hands are clumsy and I walk unsteadily", "myelopathy"),
        ("low back pain with a fever since two days", "fever"),
        ("I inject heroin and my mid back hurts", "infection_risk"),
        ("I have osteoporosis and my upper back went into spasm last night", "osteoporosis"),
        ("I have ankylosing spondylitis and a neck spasm after sleeping badly", "ankylosing_spondylitis"),
        ("I have been taking prednisolone for years, low back spasm", "steroids"),
        ("I had bowel cancer five years ago, now my low back is in spasm", "cancer_history"),
        ("low back pain and I have lost a lot of weight without trying", "weight_loss"),
        ("mid back pain that never stops, it keeps me awake every night in any position", "night_pain"),
    ],
)
def test_a_sign_in_plain_words_counts_without_a_question(text, flag):
    assert flag in flags(text)


@pytest.mark.parametrize(
    "text",
    [
        "my mum has osteoporosis, I just have a stiff neck from the laptop",
        "no fever, no numbness, low back spasm from lifting a box",
        "this low back is killing me, four days now",
        "what is the weather tomorrow",
        "the stock market will fall",
        "my phone crashed",
    ],
)
def test_nobody_is_alarmed_for_nothing(text):
    assert flags(text) == set()


def test_what_was_said_comes_in_the_words_of_the_visitor():
    findings = READER.read("low back pain and I cannot hold my pee since monday").findings
    found = next(f for f in findings if f.id == "bladder_bowel")
    assert "hold my pee" in found.said


@pytest.mark.parametrize("filler", ["x ", "my long story goes on and on. ", "!"])
def test_a_sign_late_in_a_long_message_is_heard(filler):
    sign = " I cannot hold my pee"
    story = (filler * LONGEST_READ)[: LONGEST_READ - len(sign)]
    assert flags(story + sign) == {"bladder_bowel"}
    assert flags(story + "x" * len(sign) + sign) == set()


@pytest.mark.parametrize(
    "text, level",
    [
        ("low back, on a scale from 0 to 10 a 4", 4),
        ("low back pain, 5 or 6 out of 10", 6),
        ("neck pain is 3 out of 10", 3),
        ("lower back spasm since monday, pain 7", 7),
        ("lower back spasm, 2 children at home", None),
    ],
)
def test_pain(text, level):
    assert READER.read(text).pain == level


@pytest.mark.parametrize("text", ["level 0", "level 1", "level seven"])
def test_a_number_that_is_no_pain_level_stays_a_number(text):
    reading = READER.read(text)
    assert reading.pain is not None or reading.numbers


@pytest.mark.parametrize(
    "text", ["I can't hold my pee", "I don't feel my legs", "my mum's got osteoporosis, mine's a stiff neck"]
)
def test_both_apostrophes_are_read_alike(text):
    assert READER.read(text.replace("'", "\u2019")).findings == tuple(READER.read(text).findings)


def test_the_writers_own_signs_are_not_the_mothers():
    text = "writing for my mum, she fell off a chair and her low back hurts. I have a fever myself"
    assert "fever" not in flags(text)
