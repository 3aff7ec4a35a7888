"""The questionnaire: what a message adds to what is known, what is asked next, and what a checklist still holds."""

from dataclasses import replace
from itertools import product

import contract
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from messages import found, lasting, tapped, typed

from backtalk.interview import (
    CONFIRM,
    Interview,
    checklist,
    entry,
    fresh_start,
    go_back,
    hear,
    look_again,
    next_question,
)
from backtalk.knowledge import load_knowledge
from backtalk.knowledge.model import Relative
from backtalk.language.people import People
from backtalk.triage import Facts, assess

KNOWLEDGE = load_knowledge()
EMERGENCIES = [flag for flag, level in contract.FLAGS.items() if level == "emergency"]
ANSWERED = {
    "regions": {"regions": ("lumbar",)},
    "onset": {"onset": "sleep"},
    "warning_signs": {"warning_signs": "none"},
    "medical_history": {"medical_history": "none"},
    "duration": {"duration": "two days", "duration_days": 2.0},
    "pain_level": {"pain_level": 4.0},
}
LIST = ("bladder_bowel", "fever", "night_pain")
MIXED_LIST = ("steroids", "anticoagulant", "numb_limb")

YES, NO, UNSURE, SKIP, ALL = (found("answer", answer) for answer in ("yes", "no", "unsure", "skip", "all"))


def known(*questions, **more):
    """An interview in which these questions are answered."""
    return Interview(**{name: value for question in questions for name, value in ANSWERED[question].items()}, **more)


def hears(interview, entities, question=None, intent="inform"):
    return hear(interview, entities, question, intent, KNOWLEDGE)


def after(interview, entities, question=None, intent="inform"):
    """The interview after a message."""
    return hears(interview, entities, question, intent).interview


class TestNextQuestion:
    @pytest.mark.parametrize("answered", list(product((True, False), repeat=6)))
    def test_is_the_first_that_is_open(self, answered):
        questions = [question for question, is_known in zip(contract.QUESTIONS, answered, strict=True) if is_known]
        still_open = [question for question in contract.QUESTIONS if question not in questions]
        assert next_question(known(*questions), KNOWLEDGE) == (still_open[0] if still_open else None)

    @pytest.mark.parametrize("question", contract.QUESTIONS)
    def test_comes_back_to_one_that_was_passed_over(self, question):
        others = [other for other in contract.QUESTIONS if other != question]
        assert next_question(known(*others), KNOWLEDGE) == question

    @pytest.mark.parametrize("flag", EMERGENCIES)
    @pytest.mark.parametrize("questions", [(), ("regions",), ("regions", "onset", "warning_signs")])
    def test_an_emergency_ends_the_questions(self, flag, questions):
        assert next_question(known(*questions, red_flags=(flag,)), KNOWLEDGE) is None

    def test_trauma_with_numbness_ends_the_questions(self):
        assert next_question(Interview(onset="fall", red_flags=("fall",), signs=("numb_limb",)), KNOWLEDGE) is None

    @pytest.mark.parametrize("trauma", sorted(contract.TRAUMA))
    @pytest.mark.parametrize("told_as", ["onset", "flag"])
    def test_after_trauma_only_the_checklists_are_asked(self, trauma, told_as):
        told = {"onset": trauma} if told_as == "onset" else {"red_flags": (trauma,)}
        interview, asked = Interview(**told), []
        while question := next_question(interview, KNOWLEDGE):
            asked.append(question)
            interview = replace(interview, **ANSWERED[question])
        assert tuple(asked) == contract.CHECKLISTS

    @pytest.mark.parametrize("flag", sorted({*contract.FLAGS} - {*EMERGENCIES} - contract.TRAUMA))
    def test_no_other_flag_ends_or_shortens_the_questions(self, flag):
        assert next_question(known("regions", red_flags=(flag,)), KNOWLEDGE) == "onset"

    @pytest.mark.parametrize("questions", [(), ("regions",), contract.QUESTIONS])
    @pytest.mark.parametrize("flag", contract.FLAGS)
    def test_what_was_not_understood_for_sure_is_asked_before_anything_else(self, questions, flag):
        assert next_question(known(*questions, flags_to_confirm=(flag,)), KNOWLEDGE) == CONFIRM

    def test_six_questions_answered_by_taps_lead_to_the_end(self):
        taps = [
            tapped(region="lumbar"),
            tapped(onset="lifting"),
            [],
            [],
            typed(durations=(lasting(3),)),
            tapped(pain_level=6),
        ]
        interview, asked = Interview(), []
        for entities in taps:
            question = next_question(interview, KNOWLEDGE)
            asked.append(question)
            interview = after(interview, entities, question, intent="inform" if entities else "deny")
        assert tuple(asked) == contract.QUESTIONS
        assert next_question(interview, KNOWLEDGE) is None


class TestFindings:
    """What a message tells, whatever question is open."""

    @pytest.mark.parametrize("question", [None, *contract.QUESTIONS])
    @pytest.mark.parametrize("flag", contract.FLAGS)
    def test_a_flag_counts_with_the_visitors_words(self, question, flag):
        interview = after(Interview(), typed(found("red_flag", flag, "as I said")), question)
        assert interview.red_flags == (flag,)
        assert interview.said == {flag: "as I said"}

    @pytest.mark.parametrize(
        "kind, entry_id, field",
        [("region", "lumbar", "regions"), ("caution", "pregnancy", "cautions"), ("sign", "numb_limb", "signs")],
    )
    @pytest.mark.parametrize(
        "make", [lambda kind, entry_id: typed(found(kind, entry_id)), lambda kind, entry_id: tapped(**{kind: entry_id})]
    )
    def test_other_findings(self, kind, entry_id, field, make):
        assert getattr(after(Interview(), make(kind, entry_id)), field) == (entry_id,)

    @pytest.mark.parametrize("onset, flag", contract.ONSETS.items())
    @pytest.mark.parametrize(
        "entities", [lambda onset: typed(found("onset", onset)), lambda onset: tapped(onset=onset)]
    )
    def test_an_onset_raises_its_flag(self, onset, flag, entities):
        heard = hears(Interview(), entities(onset), "onset")
        assert heard.answered and heard.learned
        assert heard.interview.onset == onset
        assert heard.interview.red_flags == ((flag,) if flag else ())

    @pytest.mark.parametrize("status", ["denied", "hypothetical", "past"])
    @pytest.mark.parametrize(
        "kind, entry_id",
        [
            ("red_flag", "fever"),
            ("caution", "pregnancy"),
            ("region", "lumbar"),
            ("onset", "fall"),
            ("sign", "numb_limb"),
        ],
    )
    def test_what_is_not_asserted_does_not_count(self, kind, entry_id, status):
        heard = hears(Interview(), typed(found(kind, entry_id, status=status)))
        assert heard.interview == Interview()
        assert not heard.learned

    def test_another_persons_flag_does_not_count(self):
        theirs = found("red_flag", "cancer_history", experiencer="other")
        assert after(Interview(), typed(theirs)).red_flags == ()

    def test_of_whoever_the_visitor_answers_for_it_counts(self):
        theirs = found("red_flag", "cancer_history", experiencer="other")
        assert after(Interview(patient="other"), typed(theirs)).red_flags == ("cancer_history",)
        assert after(Interview(), typed(theirs, patient="other")).red_flags == ("cancer_history",)

    @pytest.mark.parametrize("flag", contract.FLAGS)
    def test_an_uncertain_flag_waits_to_be_confirmed(self, flag):
        interview = after(Interview(), typed(found("red_flag", flag, "perhaps that", status="uncertain")))
        assert (interview.flags_to_confirm, interview.red_flags) == ((flag,), ())
        assert interview.said == {flag: "perhaps that"}

    @pytest.mark.parametrize("trauma", sorted(contract.TRAUMA))
    def test_an_uncertain_trauma_waits_to_be_confirmed(self, trauma):
        interview = after(Interview(), typed(found("onset", trauma, status="uncertain")))
        assert (interview.flags_to_confirm, interview.red_flags, interview.onset) == ((trauma,), (), None)

    def test_a_flag_said_for_sure_is_no_longer_to_be_confirmed(self):
        interview = after(Interview(flags_to_confirm=("fever", "aortic")), typed(found("red_flag", "fever")))
        assert (interview.flags_to_confirm, interview.red_flags) == (("aortic",), ("fever",))

    def test_everywhere_means_every_region(self):
        assert after(Interview(), tapped(region="everywhere"), "regions").regions == contract.REGIONS

    def test_regions_add_up(self):
        assert after(known("regions"), typed(found("region", "cervical"))).regions == ("lumbar", "cervical")

    @pytest.mark.parametrize(
        "question, field, entities",
        [
            ("regions", "regions", typed(found("region", "lumbar", weak=True))),
            ("onset", "onset", typed(found("onset", "sport", weak=True))),
            ("duration", "duration_days", typed(durations=(lasting(3, sure=False),))),
            ("pain_level", "pain_level", typed(numbers=(3.0,))),
            ("pain_level", "pain_level", typed(found("severity", "3", weak=True))),
        ],
    )
    def test_weak_words_count_only_as_an_answer(self, question, field, entities):
        assert getattr(after(Interview(), entities, question), field) is not None
        others = {None, *contract.QUESTIONS} - {question}
        assert all(getattr(after(Interview(offered=LIST), entities, other), field) is None for other in others)

    def test_a_known_onset_stays_unless_a_trauma_is_told(self):
        assert after(known("onset"), typed(found("onset", "sport"))).onset == "sleep"
        told = after(known("onset"), typed(found("onset", "fall", "I fell")))
        assert (told.onset, told.red_flags, told.said) == ("fall", ("fall",), {"fall": "I fell", "onset": "I fell"})

    @pytest.mark.parametrize("first", ["accident", "fall"])
    def test_a_trauma_is_never_replaced(self, first):
        told = after(Interview(), typed(found("onset", first)))
        assert after(told, typed(found("onset", "lifting"), found("onset", "unknown"))).onset == first

    def test_unknown_gives_way_to_what_is_told_later(self):
        assert after(Interview(onset="unknown"), typed(found("onset", "sport"))).onset == "sport"

    def test_a_duration_is_kept_as_given_and_in_days(self):
        interview = after(Interview(), typed(durations=(lasting(14, "two weeks"),)))
        assert (interview.duration, interview.duration_days) == ("two weeks", 14)

    @pytest.mark.parametrize("level", [0, 4, 7.5, 10])
    @pytest.mark.parametrize("entities", [lambda level: typed(pain=level), lambda level: tapped(pain_level=level)])
    def test_a_pain_level(self, level, entities):
        heard = hears(Interview(), entities(level), "pain_level")
        assert heard.answered
        assert heard.interview.pain_level == level

    @pytest.mark.parametrize("level", [-1, 10.5, 11, 100])
    def test_a_pain_level_off_the_scale_is_no_answer(self, level):
        heard = hears(Interview(), typed(pain=level, numbers=(level,)), "pain_level")
        assert not heard.answered
        assert heard.interview.pain_level is None


class TestAnswers:
    """How the open question is dealt with."""

    @pytest.mark.parametrize("question", [*contract.QUESTIONS, CONFIRM])
    def test_a_message_without_content_answers_nothing(self, question):
        interview = Interview(offered=LIST, flags_to_confirm=("fever",) if question == CONFIRM else ())
        heard = hears(interview, [], question, "out_of_scope")
        assert (heard.interview, heard.answered, heard.learned) == (interview, False, False)

    @pytest.mark.parametrize("question", ["regions", "onset", "duration", "pain_level"])
    @pytest.mark.parametrize("entities, intent", [(typed(UNSURE), "inform"), (typed(SKIP), "inform"), ([], "not_sure")])
    def test_not_sure_is_an_answer(self, question, entities, intent):
        others = [other for other in contract.QUESTIONS if other != question]
        heard = hears(known(*others), entities, question, intent)
        assert heard.answered
        assert next_question(heard.interview, KNOWLEDGE) is None

    def test_a_finding_of_another_question_does_not_answer_this_one(self):
        heard = hears(Interview(), typed(found("region", "lumbar")), "duration")
        assert heard.learned and not heard.answered

    def test_a_message_outside_the_questionnaire_answers_nothing(self):
        heard = hears(Interview(), typed(found("region", "lumbar")))
        assert heard.learned and not heard.answered


class TestChecklist:
    """What a checklist asks about."""

    @pytest.mark.parametrize("region", contract.REGIONS)
    def test_warning_signs_are_those_of_the_region(self, region):
        listed = checklist("warning_signs", Interview(regions=(region,)), KNOWLEDGE)
        assert set(listed) == set(KNOWLEDGE.regions[region].warning_signs)

    @pytest.mark.parametrize("regions", [None, ()])
    def test_without_a_region_those_of_all(self, regions):
        listed = checklist("warning_signs", Interview(regions=regions), KNOWLEDGE)
        assert set(listed) == {flag for region in KNOWLEDGE.regions.values() for flag in region.warning_signs}

    @pytest.mark.parametrize("regions", [("cervical",), ("thoracic",), ("lumbar",), contract.REGIONS])
    def test_the_gravest_stand_first(self, regions):
        listed = checklist("warning_signs", Interview(regions=regions), KNOWLEDGE)
        levels = [contract.LEVELS.index(contract.FLAGS[flag]) for flag in listed]
        assert levels == sorted(levels)

    @pytest.mark.parametrize("onset", contract.ONSETS)
    def test_a_numb_limb_is_asked_about_only_after_trauma(self, onset):
        listed = checklist("warning_signs", after(Interview(), tapped(onset=onset)), KNOWLEDGE)
        assert ("numb_limb" in listed) == (onset in contract.TRAUMA)

    def test_medical_history_is_the_list_of_the_knowledge_files(self):
        assert checklist("medical_history", Interview(), KNOWLEDGE) == KNOWLEDGE.medical_history

    @pytest.mark.parametrize("field", ["red_flags", "cleared"])
    @pytest.mark.parametrize("question, flag", [("warning_signs", "fever"), ("medical_history", "steroids")])
    def test_what_is_known_is_not_asked(self, question, flag, field):
        listed = checklist(question, Interview(**{field: (flag,)}), KNOWLEDGE)
        assert flag not in listed and listed

    def test_known_cautions_are_not_asked(self):
        assert "pregnancy" not in checklist("medical_history", Interview(cautions=("pregnancy",)), KNOWLEDGE)

    @pytest.mark.parametrize("entry_id", ["fever", "numb_limb", "pregnancy"])
    def test_entries_are_found_by_their_id(self, entry_id):
        assert entry(entry_id, KNOWLEDGE).id == entry_id

    def test_there_is_no_entry_for_a_forged_id(self):
        with pytest.raises(KeyError):
            entry("gloom", KNOWLEDGE)


def chosen(interview):
    """What is known of the patient besides region and onset."""
    return {*interview.red_flags, *interview.cautions, *interview.signs}


@pytest.mark.parametrize("question", contract.CHECKLISTS)
@pytest.mark.parametrize("offered", [LIST, MIXED_LIST])
class TestAnsweringAChecklist:
    @pytest.mark.parametrize(
        "quantities, places",
        [
            ({"numbers": (2.0,)}, [1]),
            ({"numbers": (1.0, 3.0)}, [0, 2]),
            ({"ordinals": (1,)}, [0]),
            ({"ordinals": (2, 3)}, [1, 2]),
            ({"ordinals": (-1,)}, [2]),
            ({"numbers": (1.0,), "ordinals": (2,)}, [0, 1]),
        ],
        ids=str,
    )
    def test_by_number(self, question, offered, quantities, places):
        heard = hears(Interview(offered=offered), typed(**quantities), question)
        assert heard.answered
        assert chosen(heard.interview) == {offered[place] for place in places}
        assert getattr(heard.interview, question) == "found"
        assert set(heard.interview.said) == set(heard.interview.red_flags)

    @pytest.mark.parametrize(
        "quantities",
        [
            {"numbers": (0.0,)},
            {"numbers": (4.0,)},
            {"numbers": (1.5,)},
            {"ordinals": (4,)},
            {"numbers": (-1.0,)},
            {"ordinals": (-9,)},
            {"ordinals": (0,)},
        ],
        ids=str,
    )
    def test_by_a_number_that_is_not_on_the_list(self, question, offered, quantities):
        heard = hears(Interview(offered=offered), typed(**quantities), question)
        assert not heard.answered
        assert chosen(heard.interview) == set()

    @pytest.mark.parametrize("quantities", [{"numbers": (1.0,)}, {"ordinals": (1,)}, {"ordinals": (-1,)}], ids=str)
    def test_by_a_number_before_anything_is_listed(self, question, offered, quantities):
        heard = hears(Interview(), typed(**quantities), question)
        assert (heard.interview, heard.answered) == (Interview(), False)

    def test_all(self, question, offered):
        heard = hears(Interview(offered=offered), typed(ALL), question)
        assert heard.answered
        assert chosen(heard.interview) == set(offered)

    @pytest.mark.parametrize("entities, intent", [(typed(NO), "inform"), ([], "deny")])
    def test_none(self, question, offered, entities, intent):
        heard = hears(Interview(offered=offered), entities, question, intent)
        assert heard.answered
        assert getattr(heard.interview, question) == "none"
        assert chosen(heard.interview) == set()

    @pytest.mark.parametrize("entities, intent", [(typed(UNSURE), "inform"), (typed(SKIP), "inform"), ([], "not_sure")])
    def test_not_sure(self, question, offered, entities, intent):
        heard = hears(Interview(offered=offered), entities, question, intent)
        assert heard.answered
        assert getattr(heard.interview, question) == "unsure"
        assert heard.interview.unsure == (question,)

    @pytest.mark.parametrize("entities, intent", [(typed(YES), "inform"), ([], "affirm")])
    def test_a_bare_yes_tells_nothing(self, question, offered, entities, intent):
        heard = hears(Interview(offered=offered), entities, question, intent)
        assert (heard.interview, heard.answered) == (Interview(offered=offered), False)


class TestNamingEntriesOfAChecklist:
    @pytest.mark.parametrize("flag", LIST)
    @pytest.mark.parametrize("weak", [False, True])
    def test_by_name(self, flag, weak):
        heard = hears(Interview(offered=LIST), typed(found("red_flag", flag, "that one", weak=weak)), "warning_signs")
        assert heard.answered
        assert (heard.interview.red_flags, heard.interview.warning_signs) == ((flag,), "found")
        assert heard.interview.said == {flag: "that one"}

    def test_weak_words_of_what_is_not_listed_do_not_count(self):
        weak = typed(found("red_flag", "aortic", weak=True))
        assert after(Interview(offered=LIST), weak, "warning_signs").red_flags == ()

    def test_all_but_one(self):
        message = typed(ALL, found("red_flag", "fever", status="denied"))
        assert set(after(Interview(offered=LIST), message, "warning_signs").red_flags) == {*LIST} - {"fever"}

    @pytest.mark.parametrize("quantities", [{"numbers": (1.0,)}, {"ordinals": (1,)}], ids=str)
    def test_a_denied_entry_is_not_chosen_by_number_either(self, quantities):
        message = typed(found("red_flag", "bladder_bowel", status="denied"), **quantities)
        assert after(Interview(offered=LIST), message, "warning_signs").red_flags == ()

    @pytest.mark.parametrize(
        "kind, entry_id", [("red_flag", "steroids"), ("caution", "anticoagulant"), ("sign", "numb_limb")]
    )
    def test_a_denied_entry_does_not_count(self, kind, entry_id):
        message = typed(NO, found(kind, entry_id, status="denied"))
        heard = hears(Interview(offered=MIXED_LIST), message, "medical_history")
        assert heard.answered
        assert chosen(heard.interview) == set()

    def test_one_named_and_the_rest_denied(self):
        message = typed(NO, found("red_flag", "fever"), found("red_flag", "night_pain", status="denied"))
        interview = after(Interview(offered=LIST), message, "warning_signs")
        assert (interview.red_flags, interview.warning_signs) == (("fever",), "found")

    def test_an_uncertain_entry_is_asked_about_before_the_next_question(self):
        message = typed(found("red_flag", "fever", status="uncertain"))
        interview = after(known("regions", "onset", offered=LIST), message, "warning_signs")
        assert interview.flags_to_confirm == ("fever",)
        assert next_question(interview, KNOWLEDGE) == CONFIRM

    @pytest.mark.parametrize("flag", ["fever", "night_pain"])
    def test_a_tap_keeps_the_list_open_for_the_rest(self, flag):
        interview = known("regions", "onset", offered=LIST)
        heard = hears(interview, tapped(red_flag=flag), "warning_signs")
        assert heard.answered
        assert (heard.interview.red_flags, heard.interview.warning_signs) == ((flag,), None)
        assert next_question(heard.interview, KNOWLEDGE) == "warning_signs"
        assert flag not in checklist("warning_signs", heard.interview, KNOWLEDGE)

    @pytest.mark.parametrize(
        "question, tap", [("warning_signs", {"red_flag": "fever"}), ("medical_history", {"caution": "pregnancy"})]
    )
    def test_that_is_all_behind_a_tap(self, question, tap):
        first = checklist(question, known("regions"), KNOWLEDGE)
        interview = after(known("regions", offered=first), tapped(**tap), question)
        interview = replace(interview, offered=checklist(question, interview, KNOWLEDGE))
        heard = hears(interview, [], question, "deny")
        assert heard.answered
        assert chosen(heard.interview) == {*tap.values()}
        assert getattr(heard.interview, question) == "found"


@pytest.mark.parametrize("flag", contract.FLAGS)
class TestConfirmation:
    """The plain yes/no question about a flag that was not understood for sure."""

    @pytest.fixture
    def asked(self, flag):
        other = "fever" if flag != "fever" else "aortic"
        return Interview(flags_to_confirm=(flag, other), said={flag: "perhaps that", other: "or that"})

    @pytest.mark.parametrize("entities, intent", [(typed(YES), "inform"), ([], "affirm")])
    def test_yes(self, asked, flag, entities, intent):
        heard = hears(asked, entities, CONFIRM, intent)
        assert heard.answered
        assert heard.interview.red_flags == (flag,)
        assert heard.interview.flags_to_confirm == asked.flags_to_confirm[1:]
        assert heard.interview.said == asked.said

    @pytest.mark.parametrize("entities, intent", [(typed(NO), "inform"), ([], "deny")])
    def test_no(self, asked, flag, entities, intent):
        heard = hears(asked, entities, CONFIRM, intent)
        assert heard.answered
        assert (heard.interview.red_flags, heard.interview.cleared, heard.interview.unsure) == ((), (flag,), ())
        assert heard.interview.flags_to_confirm == asked.flags_to_confirm[1:]
        assert flag not in heard.interview.said

    @pytest.mark.parametrize("entities, intent", [(typed(UNSURE), "inform"), (typed(SKIP), "inform"), ([], "not_sure")])
    def test_not_sure(self, asked, flag, entities, intent):
        heard = hears(asked, entities, CONFIRM, intent)
        assert heard.answered
        assert (heard.interview.red_flags, heard.interview.unsure) == ((), (flag,))
        assert heard.interview.flags_to_confirm == asked.flags_to_confirm[1:]

    def test_the_same_doubt_is_raised_again_after_a_no_only_where_it_is_an_emergency(self, asked, flag):
        interview = after(asked, typed(NO), CONFIRM)
        waiting = after(interview, typed(found("red_flag", flag, status="uncertain"))).flags_to_confirm
        assert set(waiting) == {*asked.flags_to_confirm[1:], *([flag] if flag in EMERGENCIES else [])}

    def test_an_answer_in_doubt_to_its_own_question_does_not_raise_it_again(self, asked, flag):
        answer = typed(NO, found("red_flag", flag, status="uncertain"))
        assert after(asked, answer, CONFIRM).flags_to_confirm == asked.flags_to_confirm[1:]

    def test_it_counts_when_said_for_sure_after_a_no(self, asked, flag):
        interview = after(asked, typed(NO), CONFIRM)
        assert after(interview, typed(found("red_flag", flag))).red_flags == (flag,)

    def test_anything_else_leaves_it_open(self, asked, flag):
        heard = hears(asked, typed(found("region", "lumbar")), CONFIRM)
        assert not heard.answered
        assert heard.interview.flags_to_confirm == asked.flags_to_confirm


QUESTIONS = st.sampled_from([None, CONFIRM, *contract.QUESTIONS])
KINDS = (
    "region", "onset", "red_flag", "caution", "sign", "severity", "duration", "pain_level", "number", "ordinal",
    "answer", "patient", "question", "complaint",
)  # fmt: skip
IDS = sorted({*contract.REGIONS, "everywhere", *contract.ONSETS, *contract.FLAGS, *contract.CAUTIONS, *contract.SIGNS})
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(IDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
forged_entities = st.lists(
    st.fixed_dictionaries(
        {"entity": st.sampled_from(KINDS) | st.text(max_size=5)},
        optional={"value": JSON, "said": JSON, "status": JSON, "experiencer": JSON, "weak": JSON, "extractor": JSON},
    ),
    max_size=4,
)
findings = st.builds(
    found,
    st.sampled_from(KINDS[:6]),
    st.sampled_from(IDS),
    status=st.sampled_from(["present", "denied", "hypothetical", "past", "uncertain"]),
    experiencer=st.sampled_from(["patient", "other"]),
    weak=st.booleans(),
)
read_messages = st.builds(
    lambda found_here, answer, quantities: typed(*found_here, *answer, **quantities),
    st.lists(findings, max_size=4),
    st.lists(st.sampled_from([YES, NO, UNSURE, SKIP, ALL]), max_size=1),
    st.fixed_dictionaries(
        {},
        optional={
            "numbers": st.lists(st.integers(0, 12).map(float), max_size=2),
            "ordinals": st.lists(st.sampled_from([-1, 1, 2, 3, 9]), max_size=2),
            "durations": st.lists(st.integers(0, 900).map(lasting), max_size=2),
            "pain": st.integers(0, 10),
            "patient": st.sampled_from(["self", "other"]),
        },
    ),
)
INTERVIEWS = st.sampled_from(
    [
        Interview(),
        Interview(offered=LIST),
        known("regions", "onset", offered=MIXED_LIST),
        Interview(flags_to_confirm=("fever",), said={"fever": "a bit hot"}, offered=LIST),
    ]
)


class TestForgedMessages:
    """Whatever stands in a payload, nothing breaks, and only ids of the knowledge count."""

    @given(INTERVIEWS, forged_entities, QUESTIONS, st.none() | st.text(max_size=6))
    @example(Interview(offered=LIST), [{"entity": "ordinal", "value": -99}], "warning_signs", "inform")
    @example(Interview(), [{"entity": "ordinal", "value": -1}], "warning_signs", "inform")
    @example(Interview(offered=LIST), [{"entity": "ordinal", "value": float("-inf")}], "warning_signs", "inform")
    @example(Interview(), [{"entity": "number", "value": 10**400}], "pain_level", "inform")
    @example(Interview(), [{"entity": "duration", "value": 10**400}], "duration", "inform")
    @example(Interview(), [{"entity": "severity", "value": "²"}], "pain_level", "inform")
    def test_never_raise(self, interview, entities, question, intent):
        told = after(interview, entities, question, intent)
        assert set(told.red_flags) <= set(contract.FLAGS)
        assert set(told.flags_to_confirm) <= set(contract.FLAGS)
        assert set(told.regions or ()) <= set(contract.REGIONS)
        assert set(told.cautions) <= set(contract.CAUTIONS)
        assert set(told.signs) <= set(contract.SIGNS)
        assert told.onset is None or told.onset in contract.ONSETS
        assert told.pain_level is None or 0 <= told.pain_level <= 10
        assert told.outcome(KNOWLEDGE).urgency in contract.LEVELS

    @pytest.mark.parametrize("question", [None, *contract.QUESTIONS])
    @pytest.mark.parametrize(
        "values",
        [
            {"region": "elbow"}, {"onset": "yoga"}, {"red_flag": "gloom"}, {"caution": "fever"}, {"sign": "fever"},
            {"red_flag": "pregnancy"}, {"red_flag": 7}, {"red_flag": None}, {"red_flag": {"fever": 1}},
            {"region": ["elbow", 3]}, {"duration": "long"}, {"duration": True}, {"duration": -3},
            {"duration": float("nan")}, {"duration": float("inf")}, {"pain_level": "7"}, {"pain_level": True},
            {"pain_level": -1}, {"pain_level": 11}, {"pain_level": float("nan")}, {"number": "2"}, {"number": True},
            {"ordinal": "2"}, {"answer": 1}, {"answer": "perhaps"}, {"unheard_of": "fever"},
        ],
        ids=str,
    )  # fmt: skip
    def test_are_ignored(self, values, question):
        heard = hears(Interview(offered=LIST), tapped(**values), question)
        assert (heard.interview, heard.answered) == (Interview(offered=LIST), False)

    def test_a_list_counts_value_by_value(self):
        assert after(Interview(), tapped(red_flag=["fever", "gloom", "steroids"])).red_flags == ("fever", "steroids")


class TestAnyMessage:
    @given(INTERVIEWS, read_messages, st.sampled_from([None, *contract.QUESTIONS]))
    def test_heard_twice_is_the_same_as_heard_once(self, interview, entities, question):
        once = after(interview, entities, question)
        assert hears(once, entities, question).interview == once
        assert not hears(once, entities, question).learned

    @given(INTERVIEWS, read_messages, QUESTIONS)
    def test_never_takes_a_flag_back(self, interview, entities, question):
        interview = replace(
            interview,
            red_flags=("steroids",),
            cautions=("pregnancy",),
            said={**interview.said, "steroids": "my tablets"},
        )
        told = after(interview, entities, question)
        assert "steroids" in told.red_flags and "pregnancy" in told.cautions

    @given(INTERVIEWS, read_messages, QUESTIONS)
    def test_every_flag_has_words(self, interview, entities, question):
        told = after(interview, entities, question)
        assert all(told.said.get(flag) for flag in told.red_flags)

    @given(INTERVIEWS, read_messages, QUESTIONS)
    def test_a_flag_is_either_sure_or_to_be_confirmed(self, interview, entities, question):
        told = after(interview, entities, question)
        assert not set(told.red_flags) & set(told.flags_to_confirm)


class TestCorrections:
    """What a message takes back of that which was told before."""

    CHANGE = found("correction", "change")

    def test_a_place_stands_in_the_place_of_another(self):
        assert after(known("regions"), typed(self.CHANGE, found("region", "cervical"))).regions == ("cervical",)

    def test_without_a_correction_a_place_is_added(self):
        assert after(known("regions"), typed(found("region", "cervical"))).regions == ("lumbar", "cervical")

    def test_what_comes_on_top_is_added(self):
        told = typed(self.CHANGE, found("correction", "add"), found("region", "cervical"))
        assert after(known("regions"), told).regions == ("lumbar", "cervical")

    def test_a_place_that_is_denied_goes_when_another_is_told(self):
        told = typed(found("region", "lumbar", status="denied"), found("region", "thoracic"))
        assert after(known("regions"), told).regions == ("thoracic",)

    def test_an_onset_stands_in_the_place_of_another(self):
        assert after(known("onset"), typed(self.CHANGE, found("onset", "sport"))).onset == "sport"

    @pytest.mark.parametrize("flag, level", contract.FLAGS.items())
    def test_a_flag_denied_by_name_goes_at_once_unless_it_is_an_emergency(self, flag, level):
        kind = "onset" if flag in contract.TRAUMA else "red_flag"
        told = known("regions", red_flags=(flag,), onset=flag if kind == "onset" else "sleep")
        left = after(told, typed(self.CHANGE, found(kind, flag, status="denied")))
        assert left.red_flags == ((flag,) if level == "emergency" else ())
        assert left.flags_to_confirm == ((flag,) if level == "emergency" else ())
        if kind == "onset":
            assert left.onset == "unknown"

    @pytest.mark.parametrize("flag", contract.FLAGS)
    def test_a_flag_denied_without_a_correction_is_asked_about(self, flag):
        kind = "onset" if flag in contract.TRAUMA else "red_flag"
        left = after(known("regions", red_flags=(flag,)), typed(found(kind, flag, status="denied")))
        assert (left.red_flags, left.flags_to_confirm) == ((flag,), (flag,))
        assert next_question(left, KNOWLEDGE) == CONFIRM

    @pytest.mark.parametrize("intent, mark", [("take_back", None), ("inform", "take_back"), ("inform", "well")])
    def test_taking_back_puts_the_grave_signs_in_doubt(self, intent, mark):
        told = known("regions", red_flags=("bladder_bowel", "fever", "osteoporosis"))
        left = after(told, typed(*([found("correction", mark)] if mark else [])), intent=intent)
        assert left.red_flags == told.red_flags
        assert left.flags_to_confirm == ("bladder_bowel", "fever")

    @pytest.mark.parametrize("answer, stays", [(YES, True), (NO, False), (UNSURE, True), (SKIP, True)])
    def test_only_a_plain_no_takes_a_doubted_sign_away(self, answer, stays):
        told = known("regions", red_flags=("bladder_bowel",), flags_to_confirm=("bladder_bowel",))
        left = after(told, typed(answer), CONFIRM)
        assert (left.red_flags, left.flags_to_confirm) == (("bladder_bowel",) if stays else (), ())
        assert ("bladder_bowel" in left.cleared) is not stays

    def test_a_doubted_sign_that_is_told_again_is_in_doubt_no_more(self):
        told = known("regions", red_flags=("fever",), flags_to_confirm=("fever",))
        assert after(told, typed(found("red_flag", "fever"))).flags_to_confirm == ()

    def test_a_sign_that_was_denied_and_is_there_after_all(self):
        left = after(known("regions", cleared=("fever",)), typed(found("red_flag", "fever")))
        assert (left.red_flags, left.cleared) == (("fever",), ())

    def test_two_durations_that_do_not_go_together_are_asked_about_and_the_longer_holds(self):
        left = after(known(*contract.QUESTIONS), typed(durations=(lasting(90, "three months"),)))
        assert left.conflicts == {"duration": ["two days", "three months"]}
        assert next_question(left, KNOWLEDGE, is_told=True) == "duration"

    def test_durations_that_are_near_do_not_bother(self):
        assert after(known("duration"), typed(durations=(lasting(3, "three days"),))).duration_days == 2


class TestWaysBack:
    def test_go_back_opens_the_question_answered_last(self):
        left = go_back(known("regions", "onset", trail=("regions", "onset")), KNOWLEDGE)
        assert (left.onset, left.regions, left.trail) == (None, ("lumbar",), ("regions",))
        assert next_question(left, KNOWLEDGE) == "onset"

    def test_go_back_takes_no_sign_away(self):
        left = go_back(
            known("warning_signs", red_flags=("fever",), cleared=("night_pain",), trail=("warning_signs",)), KNOWLEDGE
        )
        assert (left.red_flags, left.cleared, left.warning_signs) == (("fever",), (), None)

    def test_go_back_with_nothing_asked_goes_nowhere(self):
        assert go_back(known("regions"), KNOWLEDGE) is None

    def test_looking_again_opens_the_signs_and_the_pain(self):
        left = look_again(known(*contract.QUESTIONS, cleared=("fever",)), KNOWLEDGE)
        assert (left.warning_signs, left.pain_level, left.cleared) == (None, None, ())

    def test_a_fresh_start_keeps_the_danger_signs(self):
        left = fresh_start(known(*contract.QUESTIONS, red_flags=("fever",), said={"fever": "hot", "regions": "back"}))
        assert left == Interview(red_flags=("fever",), said={"fever": "hot"})


class TestAge:
    CHILD = {"patient": "other", "people": People("son", Relative("he", "maybe"))}

    def test_is_asked_where_it_would_change_the_result(self):
        told = after(known(*contract.QUESTIONS), typed(**self.CHILD))
        assert next_question(told, KNOWLEDGE) == "age"
        assert next_question(after(told, typed(found("red_flag", "osteoporosis"))), KNOWLEDGE) is None

    @pytest.mark.parametrize("age, level", [(3, "clinician"), (15, "clinician"), (16, "self_care"), (40, "self_care")])
    def test_decides_on_the_level(self, age, level):
        told = after(after(known(*contract.QUESTIONS), typed(**self.CHILD)), typed(numbers=(age,)), "age")
        assert (told.age, told.outcome(KNOWLEDGE).urgency) == (age, level)

    def test_that_nobody_knows_counts_as_a_childs(self):
        told = after(after(known(*contract.QUESTIONS), typed(**self.CHILD)), typed(UNSURE), "age")
        assert told.outcome(KNOWLEDGE).urgency == "clinician"

    @pytest.mark.parametrize("age", [None, 9.0, 15.0])
    def test_nothing_is_suggested_to_ease_a_childs_pain(self, age):
        facts = Facts(regions=("lumbar",), onset="sport", duration_days=2, child="yes", age=age)
        assert assess(facts, KNOWLEDGE).relief == () and assess(replace(facts, child="no", age=16.0), KNOWLEDGE).relief

    def test_a_childs_symptoms_are_never_lowered(self):
        told = replace(known(*contract.QUESTIONS, red_flags=("fever",)), age=8)
        assert told.outcome(KNOWLEDGE).urgency == "urgent"


def test_a_helper_stays_a_helper_until_speaking_plainly_of_the_own_back():
    told = after(Interview(), typed(patient="other", people=People("mum", Relative("she"))))
    assert (told.addressed, after(told, typed(patient="self")).addressed) == ("she", "she")
    assert after(told, typed(patient="self", plainly=True)).addressed == "you"


@pytest.mark.parametrize("name", ["patient", "pronoun", "age", "correction"])
@pytest.mark.parametrize("value", [None, ["x"], {"a": [1]}, "x" * 99, -5, 1e9, True])
def test_forged_entities_change_nothing(name, value):
    assert after(Interview(), [{"entity": name, "value": value}]) == Interview()


class TestPlainQuestion:
    """What ends a doubt about a sign, and what does not."""

    DOUBT = known("regions", red_flags=("saddle_numbness",), flags_to_confirm=("saddle_numbness",))

    @pytest.mark.parametrize("no", ["no", "nope", "i dont", "she does not"])
    def test_a_plain_no_does(self, no):
        assert after(self.DOUBT, typed(found("answer", "no", no)), CONFIRM).red_flags == ()

    @pytest.mark.parametrize(
        "findings",
        [
            [found("correction", "take_back")],
            [found("correction", "well")],
            [found("answer", "no", "it has not")],
            [found("answer", "no", "it is not")],
            [found("answer", "no", "no", status="past")],
            [found("correction", "take_back", status="denied")],
        ],
    )
    def test_other_words_do_not(self, findings):
        left = after(self.DOUBT, typed(*findings), CONFIRM)
        assert (left.red_flags, left.flags_to_confirm) == (("saddle_numbness",), ("saddle_numbness",))

    @pytest.mark.parametrize(
        "facts", [{"red_flags": ("accident", "limb_weakness")}, {"red_flags": ("fall",), "signs": ("numb_limb",)}]
    )
    def test_an_emergency_of_several_facts_is_asked_about_too(self, facts):
        told = known("regions", **facts)
        name = "numb_limb" if "signs" in facts else "limb_weakness"
        kind = "sign" if "signs" in facts else "red_flag"
        left = after(told, typed(found("correction", "change"), found(kind, name, status="denied")))
        assert left.outcome(KNOWLEDGE).urgency == "emergency" and left.flags_to_confirm == (name,)
        assert after(left, typed(NO), CONFIRM).outcome(KNOWLEDGE).urgency == "urgent"


class TestLeftOpen:
    @pytest.mark.parametrize(
        "finding, flags",
        [(found("red_flag", "fever"), ("fever",)), (found("red_flag", "osteoporosis"), ("osteoporosis",))],
    )
    def test_a_flag_told_later_is_open_no_more(self, finding, flags):
        left = after(known("regions", unsure=("fever", "osteoporosis")), typed(finding))
        assert left.red_flags == flags and not set(flags) & set(left.unsure)

    def test_a_flag_left_open_is_not_ruled_out(self):
        left = after(known("regions", flags_to_confirm=("fever",)), typed(UNSURE), CONFIRM)
        assert (left.unsure, left.cleared) == (("fever",), ())
        assert "fever" not in checklist("warning_signs", left, KNOWLEDGE)


def test_an_age_is_one_persons():
    helper = after(Interview(), typed(patient="other", people=People("toddler", Relative("they", "yes"))))
    assert after(helper, typed(people=People(age=40.0, age_is_own=True))).age is None
    assert after(helper, typed(people=People(age=3.0))).age == 3
    grown = after(known("regions"), typed(patient="self", people=People(age=40.0, age_is_own=True)))
    assert after(grown, typed(patient="other", people=People("son", Relative("he", "maybe")))).age is None


def test_a_question_about_time_is_no_contradiction():
    told = known(*contract.QUESTIONS)
    told = replace(told, duration="8 weeks", duration_days=56)
    assert after(told, typed(durations=(lasting(2, "2 days"),), question=True)) == told
