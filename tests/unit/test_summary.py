"""The summary: a record of the interview, as a list, a text, a page and a FHIR resource."""

import json
from datetime import datetime, timezone

import pytest
from fhir.resources.R4B.questionnaireresponse import QuestionnaireResponse
from hypothesis import given
from hypothesis import strategies as st

from backtalk.fhir import questionnaire_response
from backtalk.interview import Interview
from backtalk.knowledge import load_knowledge
from backtalk.report import told_of
from backtalk.summary import recap_text, summarize, summary_page, summary_text
from backtalk.wording import Audience

KNOWLEDGE = load_knowledge()
WRITTEN = datetime(2026, 11, 26, 9, 30, tzinfo=timezone.utc)
CRASH = Interview(
    regions=("cervical", "lumbar"),
    onset="accident",
    red_flags=("accident",),
    cautions=("anticoagulant",),
    cleared=("fever", "chest_pain"),
    warning_signs="none",
    medical_history="unsure",
    unsure=("medical_history",),
    duration="last night",
    duration_days=1,
    pain_level=6,
    said={"accident": "the crash", "onset": "the crash", "regions": "neck, lower back", "anticoagulant": "warfarin"},
)


def of(interview, is_told=True):
    told = told_of(interview.outcome(KNOWLEDGE)) if is_told else None
    return summarize(interview, KNOWLEDGE, Audience(KNOWLEDGE.settings), WRITTEN, told)


class TestText:
    TEXT = summary_text(of(CRASH))

    @pytest.mark.parametrize(
        "words",
        [
            "26 November 2026, 09:30 UTC",
            "Where: neck and lower back (in their words: “neck, lower back”)",
            "A road accident (in their words: “the crash”)",
            "A blood thinner (in their words: “warfarin”)",
            "Pain now: 6 out of 10",
            "Fever, chills or night sweats",
            "Conditions and medicines: not sure",
            "Urgency: urgent",
            "MRI",
            "Back Spasms: the document",
            "not a diagnosis",
        ],
    )
    def test_says(self, words):
        assert words in self.TEXT

    def test_names_no_relief_where_somebody_must_be_examined_first(self):
        assert not [option.name for option in KNOWLEDGE.relief.values() if option.name in self.TEXT]

    def test_of_an_unfinished_interview_advises_nothing(self):
        text = summary_text(of(Interview(regions=("lumbar",)), is_told=False))
        assert "Urgency" not in text and "Warning signs: not asked" in text

    def test_of_a_sign_in_doubt_says_so(self):
        text = summary_text(of(Interview(red_flags=("fever",), flags_to_confirm=("fever",)), is_told=False))
        assert "taken back, not yet confirmed" in text


def test_a_result_that_no_longer_holds_is_told_as_one():
    told = told_of(Interview(regions=("lumbar",), red_flags=("saddle_numbness",)).outcome(KNOWLEDGE))
    taken_back = Interview(regions=("lumbar",), cleared=("saddle_numbness",))
    text = summary_text(summarize(taken_back, KNOWLEDGE, Audience(KNOWLEDGE.settings), WRITTEN, told))
    assert "Urgency: emergency" in text and "no new result was told yet" in text
    assert "self-care" not in text and "Keep moving" not in text


def test_the_recap_names_the_age():
    assert "• Age: 15" in recap_text(of(Interview(regions=("lumbar",), age=15.0)))


def test_the_advice_after_thoughts_of_suicide_is_its_own():
    text = summary_text(of(Interview(red_flags=("self_harm",))))
    assert "keep away from anything" in text and "Unlock the door" not in text


def test_the_recap_counts_a_long_list():
    denied = tuple(KNOWLEDGE.red_flags)[:9]
    assert "as you said: 9 signs" in recap_text(of(Interview(regions=("lumbar",), cleared=denied)))


def test_the_page_shows_what_was_said_as_text():
    page = summary_page(of(Interview(regions=("lumbar",), said={"regions": "<script>alert(1)</script>"})))
    assert "&lt;script&gt;" in page and "<script>" not in page


class TestFhir:
    def test_has_an_answer_for_each_finding(self):
        found = {item["linkId"]: item for item in questionnaire_response(of(CRASH), CRASH, KNOWLEDGE, True)["item"]}
        assert [a["valueCoding"]["code"] for a in found["regions"]["answer"]] == ["cervical", "lumbar"]
        assert found["duration"]["answer"][0]["valueQuantity"]["value"] == 1
        assert found["accident"]["answer"][0]["valueBoolean"] is True
        assert found["fever"]["answer"][0]["valueBoolean"] is False
        assert found["accident"]["answer"][0]["item"][0]["answer"][0]["valueString"] == "the crash"
        assert found["urgency"]["answer"][0]["valueCoding"]["code"] == "urgent"

    def test_is_unfinished_while_no_result_was_told(self):
        interview = Interview(regions=("lumbar",))
        assert questionnaire_response(of(interview, False), interview, KNOWLEDGE, False)["status"] == "in-progress"

    @given(
        st.builds(
            Interview,
            regions=st.none() | st.lists(st.sampled_from(sorted(KNOWLEDGE.regions)), unique=True).map(tuple),
            onset=st.none() | st.sampled_from(sorted(KNOWLEDGE.onsets)),
            red_flags=st.lists(st.sampled_from(sorted(KNOWLEDGE.red_flags)), unique=True).map(tuple),
            cautions=st.lists(st.sampled_from(sorted(KNOWLEDGE.cautions)), unique=True).map(tuple),
            cleared=st.lists(st.sampled_from(sorted(KNOWLEDGE.red_flags)), unique=True).map(tuple),
            duration=st.just("a while"),
            duration_days=st.none() | st.floats(0, 5000),
            pain_level=st.none() | st.floats(0, 10),
            said=st.dictionaries(
                st.sampled_from(["regions", "onset", *KNOWLEDGE.red_flags]), st.text(min_size=1, max_size=20)
            ),
        ),
        st.booleans(),
    )
    def test_is_valid_whatever_was_said(self, interview, is_told):
        resource = questionnaire_response(of(interview, is_told), interview, KNOWLEDGE, is_told)
        read = QuestionnaireResponse.model_validate(resource)
        assert json.loads(read.model_dump_json()) == json.loads(json.dumps(resource))
        assert summary_text(of(interview, is_told)) and summary_page(of(interview, is_told))
