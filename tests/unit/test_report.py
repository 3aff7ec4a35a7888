"""The assessment message: its payload for programs and its text for people."""

import json
import re

import contract
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtalk.knowledge import load_knowledge
from backtalk.report import assessment_card, assessment_payload, card_text
from backtalk.triage import Facts, assess
from backtalk.wording import Audience, dialable, listed, personal

KNOWLEDGE = load_knowledge()
PLAIN = Facts(regions=("lumbar",), onset="sleep", duration_days=2, pain_level=4)
CLINICIAN = tuple(flag for flag, level in contract.FLAGS.items() if level == "clinician")
RELIEF_WORDS = re.compile(
    r"anti-inflammatory|chiropract|manipulation|\bheat\b|\bice\b|light activity|massage|physi\w+ therap|physiotherap"
    r"|water exercise|ultrasound|collar|ibuprofen",
    re.IGNORECASE,
)
REFERENCE = re.compile(r"\[(\d+(?:, \d+)*)\]")

FLAGS_ALONE = {flag: Facts(regions=("lumbar",), onset=None, red_flags=(flag,)) for flag in contract.FLAGS}
TOGETHER = {
    "nothing told": Facts(),
    "plain spasm": PLAIN,
    "lifting": Facts(regions=("lumbar",), onset="lifting"),
    "posture in the neck": Facts(regions=("cervical",), onset="posture", cautions=contract.CAUTIONS),
    "long": Facts(regions=("thoracic",), duration_days=90),
    "all over with cautions": Facts(regions=contract.REGIONS, onset="unknown", cautions=contract.CAUTIONS),
    "weak bones and lifting": Facts(regions=("lumbar",), onset="lifting", red_flags=("osteoporosis",)),
    "all that needs a clinician": Facts(
        regions=contract.REGIONS,
        onset="unknown",
        red_flags=CLINICIAN,
        cautions=contract.CAUTIONS,
        signs=contract.SIGNS,
        duration_days=90,
        pain_level=10,
    ),
    "crash with numbness": Facts(regions=("cervical",), onset="accident", signs=contract.SIGNS),
    "fall with weakness": Facts(regions=("lumbar",), onset="fall", red_flags=("limb_weakness",)),
    "despair and a numb groin": Facts(regions=("lumbar",), red_flags=("self_harm", "saddle_numbness")),
    "fever and a crash": Facts(onset="accident", red_flags=("fever",)),
    "everything at once": Facts(
        regions=contract.REGIONS,
        onset="accident",
        red_flags=tuple(contract.FLAGS),
        cautions=contract.CAUTIONS,
        signs=contract.SIGNS,
        duration_days=90,
        pain_level=10,
    ),
}
CASES = {**FLAGS_ALONE, **TOGETHER}
every_case = pytest.mark.parametrize("facts", CASES.values(), ids=CASES)


def assessment_text(*args, **kwargs):
    """The assessment as plain text."""
    return card_text(assessment_card(*args, **kwargs))


def said_of(facts):
    """Words of a visitor for each flag."""
    return {flag: f"well, {flag.replace('_', ' ')} since Tuesday" for flag in facts.red_flags}


@pytest.fixture
def outcome(facts, knowledge):
    return assess(facts, knowledge)


@pytest.fixture
def text(facts, outcome, knowledge):
    return assessment_text(outcome, said_of(facts), knowledge)


@pytest.fixture
def payload(facts, outcome, knowledge):
    return assessment_payload(outcome, said_of(facts), knowledge)


@every_case
class TestPayload:
    def test_has_the_keys_of_the_contract_and_the_rules(self, payload):
        assert set(payload) == contract.PAYLOAD_KEYS | {"rules"}
        assert payload["type"] == "assessment"
        assert all(set(reason) == {"flag", "said", "source"} for reason in payload["reasons"])
        assert all(set(option) == {"id", "caution"} for option in payload["relief"])

    def test_survives_json(self, payload):
        assert json.loads(json.dumps(payload, allow_nan=False)) == payload

    def test_agrees_with_the_outcome(self, payload, outcome, facts):
        assert payload["urgency"] == outcome.urgency
        assert payload["onset"] == facts.onset
        assert set(payload["regions"]) == set(facts.regions)
        assert payload["muscles"] == [*outcome.muscles]
        assert payload["red_flags"] == [reason["flag"] for reason in payload["reasons"]] == [*outcome.reasons]
        assert set(payload["cautions"]) == set(facts.cautions)
        assert [(option["id"], option["caution"]) for option in payload["relief"]] == [
            (s.id, s.caution and personal(s.caution, "you")) for s in outcome.relief
        ]
        assert (payload["duration_days"], payload["pain_level"]) == (facts.duration_days, facts.pain_level)
        assert [rule["id"] for rule in payload["rules"]] == [rule.id for rule in outcome.rules]

    def test_gives_the_visitors_words_for_every_reason(self, payload, facts):
        said = said_of(facts)
        expected = [said.get(flag, "") for flag in payload["red_flags"]]
        assert [reason["said"] for reason in payload["reasons"]] == expected

    def test_names_sources_that_exist(self, payload, knowledge):
        for told in (*payload["reasons"], *payload["rules"]):
            assert set(told["source"].split(", ")) <= set(knowledge.sources)


def headline_of(outcome, knowledge):
    """The headline of the level, or that of a sign of its own kind where nothing else decides."""
    flags = [knowledge.red_flags[flag] for flag in outcome.reasons]
    return (len(flags) == 1 and flags[0].headline) or knowledge.urgency[outcome.urgency].headline


@every_case
class TestText:
    def test_begins_with_what_to_do(self, text, outcome, knowledge):
        lines = text.split("\n")
        assert lines[0] == Audience(knowledge.settings).text(headline_of(outcome, knowledge))
        advice = [Audience(knowledge.settings).text(advice.text) for advice in outcome.do]
        assert all(line.startswith(words) for line, words in zip(lines[1 : len(advice) + 1], advice, strict=True))

    def test_says_what_fits_the_level(self, text, outcome, knowledge):
        first = text.split("\n\n")[0].lower()
        words = {
            "emergency": (knowledge.settings["emergency_number"].lower(), "now"),
            "urgent": ("today", "emergency department"),
            "clinician": ("doctor or spine specialist", "appointment"),
            "self_care": ("at home",),
        }
        assert all(word in first for word in words[outcome.urgency])

    def test_quotes_the_visitor(self, text, facts):
        assert all(f"“{words}”" in text for words in said_of(facts).values())

    def test_leaves_nothing_to_be_filled_in(self, text):
        assert not re.search(r"[{}]|\bNone\b|\(\)|“”", text)

    def test_names_relief_only_where_it_is_not_urgent(self, text, outcome, knowledge):
        named = {option for option, record in knowledge.relief.items() if record.name.lower() in text.lower()}
        assert named == {suggestion.id for suggestion in outcome.relief}
        assert bool(RELIEF_WORDS.search(text)) == bool(outcome.relief)

    def test_says_every_caution_of_a_suggestion(self, text, outcome):
        flat = text.lower()
        cautions = [suggestion.caution for suggestion in outcome.relief if suggestion.caution]
        assert all(personal(caution, "you").lower() in flat for caution in cautions)

    def test_gives_every_reason(self, text, outcome, knowledge):
        assert all(knowledge.red_flags[flag].name.lower() in text.lower() for flag in outcome.reasons)
        assert all(rule.why in text for rule in outcome.rules)

    def test_says_what_would_make_it_worse_and_when_to_seek_help(self, text, outcome, knowledge):
        level = knowledge.urgency[outcome.urgency]
        flags = [knowledge.red_flags[flag] for flag in outcome.reasons]
        seek_help = (len(flags) == 1 and flags[0].seek_help) or level.seek_help
        assert Audience(knowledge.settings).text(seek_help) in text
        assert (level.worse or "") in text

    def test_is_not_a_diagnosis_and_gives_no_dose(self, text):
        assert "not a diagnosis" in text
        assert not contract.DOSE.search(text)

    def test_lists_exactly_the_sources_it_refers_to(self, text, knowledge):
        (listing,) = [line for line in text.split("\n") if line.startswith(("Source: ", "Sources: "))]
        body = text.replace(listing, "")
        cited = {int(number) for numbers in REFERENCE.findall(body) for number in numbers.split(", ")}
        names = dict(re.findall(r"\[(\d+)\] ([^;]+?)(?:;|\.$)", listing))
        assert cited == {int(number) for number in names} == set(range(1, len(names) + 1))
        assert set(names.values()) <= {source.name for source in knowledge.sources.values()}

    def test_fits_a_message(self, text):
        assert max(map(len, text.split("\n"))) <= 600
        assert len(text) < 4096


@every_case
class TestCard:
    @pytest.fixture
    def card(self, facts, outcome, knowledge):
        return assessment_card(outcome, said_of(facts), knowledge)

    def test_survives_json(self, card):
        assert json.loads(json.dumps(card, allow_nan=False)) == card

    def test_explains_every_number_and_no_other(self, card):
        statements = [card["explanation"]] if "explanation" in card else []
        statements += [
            *card["do"],
            *card["reasons"],
            *card["also"],
            *card.get("relief", ()),
            *card.get("muscles", ()),
            card["seek_help"],
        ]
        statements += [statement for statement in (card["harmless"], card.get("worse")) if statement]
        used = {number for statement in statements for number in statement["sources"]}
        assert used == {source["number"] for source in card["sources"]}

    def test_links_only_to_pages_on_the_web(self, card):
        assert all(source["url"] is None or source["url"].startswith("https://") for source in card["sources"])

    def test_names_relief_with_caution_and_evidence_where_the_level_allows_it(self, card, outcome, knowledge):
        assert [(option["id"], option["caution"]) for option in card.get("relief", ())] == [
            (s.id, s.caution and personal(s.caution, "you")) for s in outcome.relief
        ]
        assert all(option["evidence"] and option["sources"] for option in card.get("relief", ()))

    def test_names_numbers_to_dial(self, card, outcome):
        assert card["call"][-3:] == [{"number": number, "of": "emergency_number"} for number in ("112", "911", "999")]
        assert ({"number": "988", "of": "crisis_line"} in card["call"]) == ("self_harm" in outcome.reasons)
        assert card["alone"] == ("self_harm" if outcome.reasons == ("self_harm",) else None)


@pytest.mark.parametrize(
    "text, numbers",
    [
        ("999", ("999",)),
        ("112 or 999", ("112", "999")),
        ("Samaritans on 116 123", ("116 123",)),
        ("your emergency number", ()),
        ("+44 20 1", ("+44 20 1",)),
    ],
)
def test_dialable(text, numbers):
    assert dialable(text) == numbers


@pytest.mark.parametrize("flag", sorted(contract.TRAUMA))
def test_trauma_asks_for_the_examination_of_the_source_document(knowledge, flag):
    first = assessment_text(assess(Facts(onset=flag), knowledge), {}, knowledge).split("\n\n")[0]
    assert all(words in first for words in ("emergency department now", "examination of nerves and muscles", "MRI"))


def test_thoughts_of_suicide_have_a_crisis_line_first(knowledge):
    lines = assessment_text(assess(TOGETHER["despair and a numb groin"], knowledge), {}, knowledge).split("\n")
    assert knowledge.settings["crisis_line"] in lines[1]


def test_an_outcome_without_words_quotes_nothing(knowledge):
    outcome = assess(Facts(red_flags=("fever",)), knowledge)
    assert "You said" not in assessment_text(outcome, {}, knowledge)
    assert assessment_payload(outcome, {}, knowledge)["reasons"][0]["said"] == ""


@pytest.mark.parametrize("words", ["{emergency_number}", "{crisis_line} [9]", "a\\b “c” & <d>", "éßж 痛い"])
def test_the_visitors_words_stand_as_they_were_said(knowledge, words):
    outcome = assess(Facts(red_flags=("fever",)), knowledge)
    assert f"“{words}”" in assessment_text(outcome, {"fever": words}, knowledge)
    assert assessment_payload(outcome, {"fever": words}, knowledge)["reasons"][0]["said"] == words


@pytest.mark.parametrize("question", contract.CHECKLISTS)
def test_an_open_checklist_is_told(knowledge, question):
    outcome = assess(PLAIN, knowledge)
    told, plain = (assessment_text(outcome, {}, knowledge, unsure) for unsure in ((question,), ()))
    assert "not sure" in told and "not sure" not in plain


@pytest.mark.parametrize("flag, level", contract.FLAGS.items())
def test_a_flag_left_open_is_told_with_what_it_would_mean(knowledge, flag, level):
    text = assessment_text(assess(PLAIN, knowledge), {}, knowledge, unsure=(flag,))
    headline = knowledge.urgency[level].headline
    assert f"not sure about {knowledge.red_flags[flag].name}" in text
    assert headline[1:] in text.split("not sure about")[1]


def test_a_replaced_assessment_opens_with_that(knowledge):
    text = assessment_text(assess(PLAIN, knowledge), {}, knowledge, changed=["That changes things.", "Fever."])
    assert text.startswith("That changes things.\n• Fever.\n\n")


@given(
    st.lists(st.sampled_from(CLINICIAN), unique=True),
    st.lists(st.sampled_from(contract.CAUTIONS), unique=True),
    st.lists(st.sampled_from(contract.REGIONS), unique=True),
    st.none() | st.integers(0, 500),
)
def test_any_mild_outcome_fits_a_message(flags, cautions, regions, days):
    facts = Facts(regions=tuple(regions), red_flags=tuple(flags), cautions=tuple(cautions), duration_days=days)
    said = dict.fromkeys(flags, "my own words on this, about so long")
    text = assessment_text(assess(facts, KNOWLEDGE), said, KNOWLEDGE)
    assert len(text) < 4096
    assert max(map(len, text.split("\n"))) <= 600


@pytest.mark.parametrize("names, words", [(["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")])
def test_listed(names, words):
    assert listed(names) == words
    assert listed(iter(names), "or") == words.replace("and", "or")
