"""How the wording of messages is read: findings, whose and whether asserted, time spans, numbers and answers."""

import time
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtalk.language import load_reader, load_wording_reader
from backtalk.language.quantities import read_durations
from backtalk.language.reader import LONGEST_READ
from backtalk.language.spelling import Spelling

READER = load_wording_reader()


def ids(text: str, kind: str, *, status: str = "present", experiencer: str = "patient", weak: bool = False) -> set[str]:
    """The findings of a kind that a message makes with a status, of the patient unless told."""
    return {
        finding.id
        for finding in READER.read(text).findings
        if (finding.kind, finding.status, finding.experiencer) == (kind, status, experiencer) and finding.weak is weak
    }


def days(text: str) -> list[float]:
    """The durations of a message that count without being asked for."""
    return [duration.days for duration in READER.read(text).durations if duration.sure]


@pytest.mark.parametrize(
    "text, regions",
    [
        ("crick in my neck since tuesday", {"cervical"}),
        ("both the neck and the small of my back", {"cervical", "lumbar"}),
        ("sore right between the shoulder blades", {"thoracic"}),
        ("an ache between my shoulders and up the neck", {"thoracic", "cervical"}),
        ("my back caught dead in the middle", {"thoracic"}),
        ("my spine is stiff where my bra strap sits", {"thoracic"}),
        ("back has gone, low down on the right", {"lumbar"}),
        ("no fall, no lifting, low back just cramps", {"lumbar"}),
        ("it might be my lower back, or the muscle above my hip", {"lumbar"}),
        ("should my low back be this sore? it has been three days", {"lumbar"}),
        ("not my neck, it is the upper back", {"thoracic"}),
        ("sore in my lower back when I bend", {"lumbar"}),
        ("get back to me on top of all that pain", set()),
    ],
)
def test_regions(text, regions):
    assert ids(text, "region") == regions


@pytest.mark.parametrize(
    "text, region", [("lower", "lumbar"), ("in the middle", "thoracic"), ("all over", "everywhere")]
)
def test_words_that_name_a_region_only_as_an_answer(text, region):
    assert region in ids(text, "region", weak=True)
    assert region not in ids(text, "region")


@pytest.mark.parametrize(
    "text, onset",
    [
        ("bent to get a tray out of the oven", "lifting"),
        ("shifting a wardrobe with my brother", "lifting"),
        ("two hours of pulling up weeds", "lifting"),
        ("woke up and could not turn my head", "sleep"),
        ("dozed off in the armchair", "sleep"),
        ("must be from my desk at work", "posture"),
        ("nine hours behind the wheel", "posture"),
        ("reading in bed again", "posture"),
        ("did a spin class", "sport"),
        ("went for a ride on my road bike", "sport"),
        ("a van backed into me in the car park", "accident"),
        ("she got knocked off her bike by a taxi", "accident"),
        ("the pony launched me over a fence", "fall"),
        ("slipped off the tailgate at work", "fall"),
        ("feet went from under me on the wet tiles", "fall"),
        ("no particular cause that I know of", "unknown"),
    ],
)
def test_onsets(text, onset):
    assert onset in ids(text, "onset")


@pytest.mark.parametrize(
    "text",
    [
        "tingling running down my leg",
        "it gets worse in the night",
        "I wake up drenched in sweat",
        "hurts whenever I bend or lift",
        "I want to play football again",
        "can't sit for long",
        "pulled over and rang my wife",
        "the spine is slowly fusing on its own",
    ],
)
def test_wording_that_says_nothing_of_the_onset(text):
    assert not ids(text, "onset")


@pytest.mark.parametrize(
    "text, expected",
    [
        ("low back, three weeks", [21]),
        ("neck pain for a fortnight", [14]),
        ("a couple of days of low back cramps", [2]),
        ("a week and a half with a stiff neck", [10.5]),
        ("twenty five days now", [25]),
        ("neck sore, twelve days exactly today", [12]),
        ("my low back went yesterday", [1]),
        ("2 dyas of neck ache", [2]),
        ("had my appendix out 20 years ago, low back sore", []),
        ("takes warfarin, has done for years, and her neck is stiff", []),
        ("low back pain, 30 weeks pregnant", []),
        ("neck is tight these days", []),
        ("swim twice a week and my neck cramps", []),
        ("I am 45 years old with a sore neck", []),
        ("low back, 8 out of 10 today", []),
    ],
)
def test_durations(text, expected):
    assert days(text) == expected


@pytest.mark.parametrize(
    "text, today, expected",
    [
        ("sore since just after christmas", date(2026, 1, 4), 10),
        ("neck bad since Easter", date(2026, 3, 1), 325),
        ("low back since halloween", date(2026, 11, 10), 10),
        ("back pain since breakfast", date(2026, 11, 10), 0),
    ],
)
def test_a_feast_or_a_meal_is_a_date(text, today, expected):
    assert [duration.days for duration in read_durations(text, today)] == [expected]


def test_bare_amounts_of_two_things_do_not_count_by_themselves():
    reading = READER.read("low back, 2 weeks, neck 3 days")
    assert [(duration.days, duration.sure) for duration in reading.durations] == [(14, False), (3, False)]


@pytest.mark.parametrize(
    "text, level",
    [
        ("6/10", 6),
        ("five outta ten", 5),
        ("maybe 4 from 10", 4),
        ("pain 7", 7),
        ("0 pain, it only flutters", 0),
        ("lower back, he says about a three", 3),
        ("stiff neck since sunday, eight.", 8),
        ("I'd rate my neck pain 4", 4),
        ("neck hurts, played 5 a side", None),
        ("low back pain, 3 kids to carry", None),
        ("thermometer said 38.9, back sore", None),
        ("eight", None),
    ],
)
def test_pain_levels(text, level):
    assert READER.read(text).pain == level


@pytest.mark.parametrize(
    "text, numbers, ordinals",
    [
        ("7", (7,), ()),
        ("1 and 4", (1, 4), ()),
        ("the second one", (), (2,)),
        ("the last", (), (-1,)),
        ("about a six", (6,), ()),
    ],
)
def test_numbers_and_places_in_a_list(text, numbers, ordinals):
    reading = READER.read(text)
    assert reading.numbers == numbers
    assert reading.ordinals == ordinals


@pytest.mark.parametrize(
    "text, answer",
    [
        ("yep", "yes"),
        ("unfortunately", "yes"),
        ("nope", "no"),
        ("none of those", "no"),
        ("no idea", "unsure"),
        ("hard to say", "unsure"),
        ("rather not say", "skip"),
        ("skip this one", "skip"),
        ("all of them", "all"),
        ("low back", None),
    ],
)
def test_answers(text, answer):
    assert READER.read(text).answer == answer


@pytest.mark.parametrize(
    "text, flag",
    [
        ("no numbness, no fever", "fever"),
        ("they asked about my bladder control and wetting myself, all no", "bladder_bowel"),
        ("I said no to both, numb groin and fever", "fever"),
        ("never lost control of my bladder", "bladder_bowel"),
        ("I haven't had a fever or lost control of my bladder", "bladder_bowel"),
    ],
)
def test_denied(text, flag):
    assert flag not in ids(text, "red_flag")
    assert flag not in ids(text, "red_flag", status="uncertain")


@pytest.mark.parametrize(
    "text, flag",
    [
        ("no fever and no strength in the foot", "limb_weakness"),
        ("no weakness, can't hold my wee", "bladder_bowel"),
        ("no appetite, nothing eases it, day or night", "night_pain"),
    ],
)
def test_a_finding_with_its_own_negation_is_not_denied_by_an_earlier_one(text, flag):
    assert flag in ids(text, "red_flag")


@pytest.mark.parametrize(
    "text, flag, status",
    [
        ("can a spasm cause numb legs?", "leg_symptoms_both", "hypothetical"),
        ("what if I wet myself", "bladder_bowel", "uncertain"),
        ("I think I might have a temperature", "fever", "uncertain"),
        ("not sure if I'm running a fever", "fever", "uncertain"),
        ("I had a fever two years ago", "fever", "past"),
        ("I had breast cancer six years ago", "cancer_history", "present"),
        ("I have lost a stone on a diet", "weight_loss", "uncertain"),
    ],
)
def test_status(text, flag, status):
    assert flag in ids(text, "red_flag", status=status)


@pytest.mark.parametrize(
    "text, kind, finding",
    [
        ("my mum has osteoporosis, my neck is stiff", "red_flag", "osteoporosis"),
        ("my dad is on warfarin. I have a sore neck", "caution", "anticoagulant"),
        ("my sister had neck surgery because of clumsy hands. I woke with mine", "red_flag", "myelopathy"),
    ],
)
def test_of_somebody_else(text, kind, finding):
    assert finding not in ids(text, kind)
    assert READER.read(text).patient != "other"


@pytest.mark.parametrize(
    "text",
    [
        "asking for my dad, his low back locked",
        "My mother, who is 71, bent down and her back went",
        "my son's neck is stuck",
        "this is about my husband",
    ],
)
def test_somebody_else_is_the_patient(text):
    reading = READER.read(text)
    assert reading.patient == "other"
    assert all(finding.experiencer == "patient" for finding in reading.findings)


@pytest.mark.parametrize("text", ["my neck hurts", "I woke with it", "his is fine but mine is locked"])
def test_the_writer_is_the_patient(text):
    assert READER.read(text).patient == "self"


@pytest.mark.parametrize(
    "text, kind, finding",
    [
        ("lowwer bakc", "region", "lumbar"),
        ("nekc", "region", "cervical"),
        ("liftting a box", "onset", "lifting"),
        ("osteoperosis", "red_flag", "osteoporosis"),
    ],
)
def test_misspelt_words(text, kind, finding):
    assert finding in ids(text, kind)


def test_spelling_leaves_english_and_short_words_alone():
    repair = Spelling(["back", "numbness", "groin"]).repair
    assert [repair(word) for word in ("bakc", "numbnes", "grown", "bck", "bank", "b4ck")] == [
        "back", "numbness", "grown", "bck", "bank", "b4ck",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "fell asleep and fell out with my boss",
        "hay fever and a stiff neck",
        "steroid cream for my elbow, neck is stiff",
        "breathing down my neck at work, met by accident",
        "tearing down wallpaper, neck stiff",
        "I could kill for a massage",
        "kidney stones once, low back sore",
        "lost my keys and my temper",
    ],
)
def test_harmless_wording(text):
    for kind in ("red_flag", "caution"):
        assert not ids(text, kind)
    assert not {"fall", "accident"} & ids(text, "onset")


@pytest.mark.parametrize("text", ["he is limping a bit now", "she has a limp since football"])
def test_a_limp_is_no_loss_of_sexual_function(text):
    assert "sexual_dysfunction" not in {finding.id for finding in load_reader().read(text).findings}


@pytest.mark.parametrize(
    "text",
    [
        "i am limping and i cant get an erection since yesterday",
        "limping, and no feeling in my penis since this morning",
    ],
)
def test_a_limp_hides_no_loss_that_is_said(text):
    findings = load_reader().read(text).findings
    assert ("sexual_dysfunction", "present") in {(finding.id, finding.status) for finding in findings}


@pytest.mark.parametrize(
    "text, answers",
    [("oh no i pressed the wrong button", set()), ("no i ticked the wrong one", set()), ("oh no, none", {"no"})],
)
def test_a_slip_of_the_finger_answers_nothing(text, answers):
    assert {finding.id for finding in load_reader().read(text).findings if finding.kind == "answer"} == answers


def test_a_question_is_known_as_one():
    assert READER.read("is heat good for it").question
    assert READER.read("my neck hurts, ok?").question
    assert not READER.read("did a long run, neck hurts").question


def test_the_words_of_a_finding_are_the_visitors_own():
    text = "Sudden “crick” in my NECK — woke like it"
    finding = next(finding for finding in READER.read(text).findings if finding.id == "cervical")
    assert "NECK" in finding.said
    assert text[finding.start : finding.end].replace("“", '"').replace("”", '"') == finding.said


def test_text_beyond_the_limit_is_not_read():
    filler = "word " * (LONGEST_READ // 5)
    assert READER.read(filler + "my neck hurts").findings == ()
    assert ids("my neck hurts " + filler, "region") == {"cervical"}


def test_a_very_long_message_is_read_in_time():
    started = time.perf_counter()
    READER.read("no numb legs, my low back hurts since monday and I fell off a ladder. " * 300)
    assert time.perf_counter() - started < 5


@pytest.mark.parametrize(
    "text", ["", " ", "\n", "🙂🙂", "\x00\x01\x7f", "...!?", "\u200bneck\u202e", "{neck}[back](x)"]
)
def test_odd_input(text):
    assert READER.read(text).pain is None


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300))
def test_any_text_is_read_and_places_stay_inside_it(text):
    reading = READER.read(text)
    for found in (*reading.findings, *reading.durations):
        assert 0 <= found.start <= found.end <= len(text)


_WORDS = [
    "my", "low", "back", "neck", "no", "not", "if", "mum", "fell", "numb", "legs", "can't", "pee", "3", "days", "ago",
    "?", ".", ",", "but", "since", "7/10", "fever", "he", "years",
]  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(_WORDS), max_size=25))
def test_any_order_of_telling_words_is_read(words):
    text = " ".join(words)
    for finding in READER.read(text).findings:
        assert text[finding.start : finding.end] == finding.said
