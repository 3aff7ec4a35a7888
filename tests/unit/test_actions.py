"""The custom actions, with trackers and dispatchers as the action server has them."""

import json

import contract
import pytest
from messages import found, tapped, typed
from rasa_sdk import Tracker
from rasa_sdk.executor import ActionExecutor, CollectingDispatcher

from actions.assessment import WORKED_OUT_AGAIN
from backtalk.interview import CONFIRM
from backtalk.wording import Audience, personal

FORM = "spasm_assessment"
NOT_UNDERSTOOD = "action_not_understood"
FREE_QUESTIONS = ("regions", "onset", "duration", "pain_level")
PLAIN = {"regions": ["lumbar"], "onset": "sleep"}


@pytest.fixture(scope="module")
def executor():
    """The actions, found as the action server finds them."""
    executor = ActionExecutor()
    executor.register_package("actions")
    return executor


@pytest.fixture
def dispatcher():
    return CollectingDispatcher()


@pytest.fixture
def tracker(domain):
    """Makes a tracker whose latest message is as given and whose other slots are as the domain has them."""

    def make(
        entities=(),
        text="some words",
        intent="inform",
        question=None,
        events=(),
        selector=None,
        payload=None,
        metadata=None,
        **slots,
    ):
        initial = {name: slot.get("initial_value") for name, slot in domain["slots"].items()}
        assert set(slots) <= set(initial)
        if payload:
            text, entities = payload, tapped(**json.loads(payload[payload.find("{") :]))
        message = {"text": text, "intent": {"name": intent}, "entities": [*entities]}
        if selector:
            message["response_selector"] = {"relief": {"response": {"intent_response_key": selector}}}
        return Tracker(
            "visitor",
            {**initial, "requested_slot": question, **slots},
            message,
            [*events, {"event": "user", "text": text, "metadata": metadata or {}}],
            False,
            None,
            {"name": FORM} if question else {},
            "action_listen",
        )

    return make


@pytest.fixture
def run(executor, dispatcher, domain, responses):
    """Runs an action on a tracker, applies the slots that it sets, and returns the messages that it sent."""

    def run_action(name, tracker):
        dispatcher.messages.clear()
        run_action.events = executor.actions[name](dispatcher, tracker, domain)
        for event in run_action.events:
            if event["event"] == "slot":
                assert event["name"] == "requested_slot" or event["name"] in domain["slots"], event
                tracker.slots[event["name"]] = event["value"]
        named = [message["response"] for message in dispatcher.messages if message["response"]]
        assert set(named) <= set(responses)
        json.dumps([run_action.events, dispatcher.messages], allow_nan=False)
        return [*dispatcher.messages]

    return run_action


def named(messages):
    """The responses that were sent."""
    return [message["response"] for message in messages]


def known(tracker):
    """Every flag, caution and sign in the slots."""
    return {entry for slot in ("red_flags", "cautions", "signs") for entry in tracker.get_slot(slot) or ()}


def ends_the_questionnaire(events):
    return any(event["event"] == "active_loop" and event["name"] is None for event in events)


def ran(*names):
    """Actions that ran behind the latest message."""
    return [{"event": "action", "name": name} for name in names]


def test_the_domain_lists_exactly_the_actions_that_exist(executor, domain):
    assert set(executor.actions) == set(domain["actions"])


@pytest.mark.parametrize("question", [*contract.QUESTIONS, CONFIRM])
def test_every_question_has_an_action(executor, question):
    assert f"action_ask_{question}" in executor.actions


def test_the_form_asks_the_questions_of_the_contract(domain):
    assert tuple(domain["forms"][FORM]["required_slots"]) == contract.QUESTIONS


class TestTakingInAMessage:
    ACTION = "action_validate_slot_mappings"

    @pytest.mark.parametrize(
        "kind, entry_id, slot",
        [
            ("red_flag", "fever", "red_flags"),
            ("caution", "pregnancy", "cautions"),
            ("sign", "numb_limb", "signs"),
            ("region", "lumbar", "regions"),
        ],
    )
    @pytest.mark.parametrize("said_by", ["words", "tap"])
    def test_fills_the_slots(self, run, tracker, kind, entry_id, slot, said_by):
        told = tracker(typed(found(kind, entry_id)) if said_by == "words" else tapped(**{kind: entry_id}))
        assert run(self.ACTION, told) == []
        assert told.get_slot(slot) == [entry_id]
        assert told.get_slot("telling")

    @pytest.mark.parametrize("flag, level", contract.FLAGS.items())
    def test_an_emergency_makes_the_assessment_due_at_once(self, run, tracker, flag, level):
        told = tracker(typed(found("red_flag", flag)), question="pain_level")
        run(self.ACTION, told)
        assert bool(told.get_slot("assessment_due")) == (level == "emergency")
        assert told.get_slot("urgency") == (level if level == "emergency" else None)

    def test_a_new_fact_behind_the_result_makes_it_due_again(self, run, tracker):
        told = tracker(**PLAIN, warning_signs="none", medical_history="none", duration="a day", pain_level=3)
        run("action_assessment", told)
        told.latest_message = tracker(typed(found("red_flag", "fever"))).latest_message
        run(self.ACTION, told)
        assert told.get_slot("assessment_due")
        assert told.get_slot("urgency") == "urgent"

    def test_nothing_new_behind_the_result_makes_nothing_due(self, run, tracker):
        told = tracker(intent="thanks", **PLAIN)
        run("action_assessment", told)
        run(self.ACTION, told)
        assert not told.get_slot("assessment_due")

    def test_a_message_that_tells_nothing_changes_only_the_settings(self, run, tracker, knowledge):
        told = tracker(intent="greet")
        before = dict(told.slots)
        run(self.ACTION, told)
        changed = {
            name: value for name, value in told.slots.items() if value != before[name] and (value or before[name])
        }
        assert changed == dict(knowledge.settings)

    @pytest.mark.parametrize(
        "entities, answered",
        [(typed(found("region", "lumbar")), True), (typed(found("onset", "sport")), False), ([], False)],
    )
    def test_says_whether_the_question_was_answered(self, run, tracker, entities, answered):
        told = tracker(entities, question="regions")
        run(self.ACTION, told)
        assert bool(told.get_slot("answered")) == answered

    @pytest.mark.parametrize("text", ["/ I can't control my bladder", "/i am numb between my legs", "/saddle numbness"])
    def test_words_behind_a_slash_are_read(self, run, tracker, text):
        told = tracker(text=text, intent=None)
        run(self.ACTION, told)
        assert told.get_slot("urgency") == "emergency" or told.get_slot("flags_to_confirm")

    def test_without_intent_and_entities(self, run, tracker):
        told = tracker()
        told.latest_message = {"text": None, "intent": None, "entities": None}
        assert run(self.ACTION, told) == []


class TestAskingTheNextQuestion:
    ACTION = "validate_spasm_assessment"

    @pytest.mark.parametrize(
        "slots, question",
        [
            ({}, "regions"),
            ({"regions": ["lumbar"]}, "onset"),
            (PLAIN, "warning_signs"),
            ({"flags_to_confirm": ["fever"]}, CONFIRM),
            ({"onset": "fall", "red_flags": ["fall"]}, "warning_signs"),
            ({"red_flags": ["aortic"]}, None),
        ],
    )
    def test_requests_it(self, run, tracker, slots, question):
        told = tracker(question="regions", **slots)
        assert run(self.ACTION, told) == []
        assert told.get_slot("requested_slot") == question

    @pytest.mark.parametrize("question", FREE_QUESTIONS)
    def test_puts_it(self, run, tracker, question):
        assert named(run(f"action_ask_{question}", tracker(question=question))) == [f"utter_ask_{question}"]

    @pytest.mark.parametrize("question", FREE_QUESTIONS)
    def test_puts_it_in_other_words_after_a_misunderstanding(self, run, tracker, question):
        told = tracker(question=question)
        told.events += ran(NOT_UNDERSTOOD)
        assert named(run(f"action_ask_{question}", told)) == [f"utter_rephrase_{question}"]

    def test_a_misunderstanding_of_an_earlier_message_is_over(self, run, tracker):
        told = tracker(question="onset", events=[{"event": "user", "text": "x"}, *ran(NOT_UNDERSTOOD)])
        assert named(run("action_ask_onset", told)) == ["utter_ask_onset"]

    @pytest.mark.parametrize("question", [*contract.QUESTIONS, CONFIRM])
    def test_explains_it(self, run, tracker, question):
        assert named(run("action_explain_question", tracker(question=question))) == [f"utter_explain_{question}"]


@pytest.mark.parametrize("question", contract.CHECKLISTS)
class TestAskingAChecklist:
    def ask(self, run, told, question):
        opening, listing = run(f"action_ask_{question}", told)
        return opening["response"], listing

    @pytest.mark.parametrize("regions", [[], ["cervical"], ["lumbar"], [*contract.REGIONS]], ids=str)
    @pytest.mark.parametrize("onset", ["sleep", "fall"])
    def test_lists_what_it_offers_numbered_with_buttons(self, run, tracker, knowledge, question, regions, onset):
        told = tracker(question=question, regions=regions, onset=onset)
        opening, listing = self.ask(run, told, question)
        offered = told.get_slot("offered")
        assert opening == f"utter_open_{question}"
        assert [line.split(". ")[0] for line in listing["text"].split("\n")] == [
            str(n + 1) for n in range(len(offered))
        ]
        assert len(listing["buttons"]) <= 10
        assert all(
            len(button["title"]) <= 20 and len(button["payload"].encode()) <= 64 for button in listing["buttons"]
        )
        assert [button["payload"] for button in listing["buttons"][-2:]] == ["/deny", "/not_sure"]

    def test_a_button_adds_its_entry_and_the_list_goes_on(self, run, tracker, question):
        asked = tracker(question=question, regions=["cervical"], onset="fall")
        _, listing = self.ask(run, asked, question)
        offered = asked.get_slot("offered")
        for button, entry_id in zip(listing["buttons"][:-2], offered, strict=False):
            told = tracker(
                payload=button["payload"], question=question, regions=["cervical"], onset="fall", offered=offered
            )
            run("action_validate_slot_mappings", told)
            assert entry_id in known(told)
            opening, rest = self.ask(run, told, question)
            assert opening == f"utter_open_{question}_again"
            assert rest["buttons"][-2] == {"title": "That is all", "payload": "/deny"}
            assert told.get_slot("offered") == [other for other in offered if other != entry_id]

    def test_a_page_is_told_of_everything_that_can_be_chosen(self, run, tracker, knowledge, question):
        told = tracker(question=question, regions=["cervical"], onset="fall")
        _, listing = self.ask(run, told, question)
        payload = listing["custom"]
        assert (payload["type"], payload["question"]) == ("question", question)
        assert [option["id"] for option in payload["options"]] == told.get_slot("offered")
        assert [f"{number}. {option['text']}" for number, option in enumerate(payload["options"], 1)] == listing[
            "text"
        ].split("\n")

    @pytest.mark.parametrize("count", [1, 2, 3])
    def test_what_is_ticked_on_a_page_is_the_whole_answer(self, run, tracker, question, count):
        asked = tracker(question=question, regions=["cervical"], onset="sleep")
        _, listing = self.ask(run, asked, question)
        ticked = [option for option in listing["custom"]["options"] if option["entity"] == "red_flag"][-count:]
        payload = "/inform" + json.dumps({"answer": "only", "red_flag": [option["id"] for option in ticked]})
        told = tracker(
            payload=payload, question=question, regions=["cervical"], onset="sleep", offered=asked.get_slot("offered")
        )
        run("action_validate_slot_mappings", told)
        assert {option["id"] for option in ticked} <= known(told)
        assert told.get_slot(question) == "found"
        assert {*told.get_slot("cleared")} == {*asked.get_slot("offered")} - {option["id"] for option in ticked}

    @pytest.mark.parametrize("intent, opening", [("affirm", "which"), ("inform", "rephrase")])
    def test_asks_again_after_a_misunderstanding(self, run, tracker, question, intent, opening):
        told = tracker(question=question, intent=intent)
        told.events += ran(NOT_UNDERSTOOD)
        assert self.ask(run, told, question)[0] == f"utter_{opening}_{question}"


def test_a_page_is_told_of_the_regions_to_draw(run, tracker, knowledge):
    (message,) = run("action_ask_regions", tracker(question="regions"))
    assert message["custom"]["options"] == [
        {"id": region.id, "entity": "region", "text": region.button} for region in knowledge.regions.values()
    ]


@pytest.mark.parametrize(
    "metadata, number", [({"emergency_number": "000"}, "000"), ({"emergency_number": "call me <b>"}, None), ({}, None)]
)
def test_the_emergency_number_of_the_page_is_the_one_that_is_told(run, tracker, knowledge, metadata, number):
    told = tracker(metadata={"locale": "en-GB", **metadata})
    run("action_validate_slot_mappings", told)
    assert told.get_slot("emergency_number") == (number or "999")


@pytest.mark.parametrize("flag", contract.FLAGS)
def test_asking_whether_a_flag_is_there(run, tracker, knowledge, flag):
    (message,) = run(f"action_ask_{CONFIRM}", tracker(question=CONFIRM, flags_to_confirm=[flag, "fever"]))
    assert message["response"] == f"utter_ask_{CONFIRM}"
    assert message["question"] == Audience(knowledge.settings).text(knowledge.red_flags[flag].confirm)


ASSESSED = {
    "nothing": {},
    "plain": PLAIN,
    "long": {"regions": ["cervical"], "duration": "two months", "duration_days": 60.0, "pain_level": 7.0},
    "bones": {
        "regions": ["lumbar"],
        "red_flags": ["osteoporosis"],
        "cautions": ["pregnancy"],
        "said": {"osteoporosis": "thin bones"},
    },
    "fall": {"onset": "fall", "signs": ["numb_limb"]},
    "out of order": {"regions": ["lumbar", "cervical"], "red_flags": ["night_pain", "fever", "night_pain"]},
    **{flag: {"red_flags": [flag], "said": {flag: "my words"}} for flag in contract.FLAGS},
}


class TestAssessment:
    ACTION = "action_assessment"

    @pytest.mark.parametrize("slots", ASSESSED.values(), ids=ASSESSED)
    def test_slots_and_payload_agree(self, run, tracker, slots):
        told = tracker(question="pain_level", **slots)
        (message,) = run(self.ACTION, told)
        payload = message["custom"]
        assert set(payload) == contract.PAYLOAD_KEYS | {"rules", "card"}
        for name in ("urgency", "regions", "red_flags", "cautions", "onset", "duration_days", "pain_level"):
            assert payload[name] == told.get_slot(name), name
        assert payload["urgency"] == contract.urgency(
            slots.get("red_flags", ()), slots.get("onset"), slots.get("signs", ()), slots.get("duration_days")
        )
        assert message["text"] and not message["buttons"]

    def test_ends_the_questionnaire(self, run, tracker):
        told = tracker(question="pain_level", assessment_due=True, telling=True, **PLAIN)
        run(self.ACTION, told)
        assert ends_the_questionnaire(run.events)
        assert (told.get_slot("requested_slot"), told.get_slot("assessment_due"), told.get_slot("telling")) == (
            None,
            False,
            False,
        )

    @pytest.mark.parametrize("slots", ASSESSED.values(), ids=ASSESSED)
    def test_the_second_time_it_says_that_nothing_has_changed(self, run, tracker, slots):
        told = tracker(**slots)
        run(self.ACTION, told)
        again = run(self.ACTION, told)
        assert named(again) == ["utter_unchanged"]
        assert not again[0]["custom"]

    @pytest.mark.parametrize(
        "flag", [flag for flag, level in contract.FLAGS.items() if level in ("emergency", "urgent")]
    )
    def test_a_raised_level_takes_earlier_relief_back(self, run, tracker, flag):
        told = tracker(**PLAIN)
        run(self.ACTION, told)
        told.slots["red_flags"] = [flag]
        (message,) = run(self.ACTION, told)
        assert (
            message["text"].startswith(WORKED_OUT_AGAIN)
            and "I take back what I said about easing it" in message["text"]
        )
        assert message["custom"]["relief"] == []

    @pytest.mark.parametrize(
        "slots", [{"red_flags": ["cancer_history"]}, {"cautions": ["anticoagulant"]}, {"regions": ["cervical"]}]
    )
    def test_a_change_that_keeps_relief_is_told_anew(self, run, tracker, slots):
        told = tracker(**PLAIN)
        run(self.ACTION, told)
        told.slots.update(slots)
        (message,) = run(self.ACTION, told)
        assert message["text"].startswith(WORKED_OUT_AGAIN)
        assert message["custom"]["relief"]

    def test_a_higher_level_without_relief_before_has_nothing_to_take_back(self, run, tracker):
        told = tracker(red_flags=["fever"])
        run(self.ACTION, told)
        told.slots["red_flags"] = ["fever", "aortic"]
        (message,) = run(self.ACTION, told)
        assert message["text"].startswith(WORKED_OUT_AGAIN)


class TestRelief:
    ACTION = "action_relief"

    @pytest.mark.parametrize("topic", ["overview", *contract.RELIEF])
    def test_answers(self, run, tracker, topic):
        assert named(run(self.ACTION, tracker(intent="relief", selector=f"relief/{topic}"))) == [
            f"utter_relief/{topic}"
        ]

    def test_without_a_topic_gives_the_overview(self, run, tracker):
        assert named(run(self.ACTION, tracker(intent="relief"))) == ["utter_relief/overview"]

    @pytest.mark.parametrize("topic", ["overview", *contract.RELIEF])
    @pytest.mark.parametrize(
        "flag", [flag for flag, level in contract.FLAGS.items() if level in ("emergency", "urgent")]
    )
    def test_refuses_in_an_emergency_and_where_it_is_urgent(self, run, tracker, topic, flag):
        told = tracker(intent="relief", selector=f"relief/{topic}", red_flags=[flag])
        assert named(run(self.ACTION, told)) == ["utter_no_relief_now"]

    @pytest.mark.parametrize("option", contract.RELIEF)
    @pytest.mark.parametrize(
        "fact", [flag for flag, level in contract.FLAGS.items() if level == "clinician"] + [*contract.CAUTIONS]
    )
    def test_adds_what_rules_it_out_for_this_visitor(self, run, tracker, knowledge, option, fact):
        kind = "cautions" if fact in contract.CAUTIONS else "red_flags"
        answer, *more = run(self.ACTION, tracker(intent="relief", selector=f"relief/{option}", **{kind: [fact]}))
        assert answer["response"] == f"utter_relief/{option}"
        name = {**knowledge.red_flags, **knowledge.cautions}[fact].name
        caution = knowledge.relief[option].caution_with.get(fact)
        if fact in contract.RELIEF[option]:
            assert len(more) == 1 and name in more[0]["text"]
        else:
            assert [message["text"] for message in more] == ([personal(caution, "you")] if caution else [])

    def test_the_overview_leaves_out_what_is_not_for_this_visitor(self, run, tracker):
        _, *more = run(self.ACTION, tracker(intent="relief", selector="relief/overview", cautions=["anticoagulant"]))
        assert [message["text"].split(":")[0] for message in more] == ["Massage therapy", "Chiropractic manipulation"]

    def test_refuses_while_a_flag_waits_for_its_answer(self, run, tracker):
        told = tracker(intent="relief", selector="relief/massage", flags_to_confirm=["bladder_bowel"])
        assert named(run(self.ACTION, told)) == ["utter_no_relief_now"]

    def test_names_everything_that_rules_it_out(self, run, tracker, knowledge):
        told = tracker(
            intent="relief",
            selector="relief/chiropractic_manipulation",
            red_flags=["steroids", "osteoporosis"],
            cautions=["anticoagulant"],
        )
        _, more = run(self.ACTION, told)
        names = [knowledge.red_flags[flag].name for flag in ("steroids", "osteoporosis")] + [
            knowledge.cautions["anticoagulant"].name
        ]
        assert all(name in more["text"] for name in names)


class TestNotUnderstood:
    MISSED = [{"event": "user", "text": "blub"}, *ran(NOT_UNDERSTOOD)]

    @pytest.mark.parametrize("events, response", [([], "utter_not_understood"), (MISSED, "utter_choices")])
    def test_says_so(self, run, tracker, events, response):
        assert named(run(NOT_UNDERSTOOD, tracker(intent="nlu_fallback", events=events))) == [response]

    @pytest.mark.parametrize("events, expected", [([], []), (MISSED, ["utter_help_in_questionnaire"])])
    def test_in_the_questionnaire_leaves_it_to_the_question(self, run, tracker, events, expected):
        assert named(run(NOT_UNDERSTOOD, tracker(question="regions", events=events))) == expected


class TestDefaultFallback:
    FALLBACK = "action_default_fallback"

    @pytest.mark.parametrize("intent", ["affirm", "deny", "not_sure"])
    def test_yes_and_no_behind_the_result(self, run, tracker, intent):
        told = tracker(intent=intent, **PLAIN)
        run("action_assessment", told)
        assert named(run(self.FALLBACK, told)) == ["utter_after_result"]

    @pytest.mark.parametrize("intent", ["deny", "not_sure"])
    def test_no_behind_anything_else(self, run, tracker, intent):
        assert named(run(self.FALLBACK, tracker(intent=intent))) == ["utter_other_ways"]

    OFFERED = [{"event": "bot", "text": "...", "metadata": {"utter_action": "utter_help"}}]
    REFUSED = [{"event": "user", "text": "no", "parse_data": {"intent": {"name": "deny"}}}]

    @pytest.mark.parametrize("events", [[], [*OFFERED, *REFUSED]])
    def test_yes_to_nothing(self, run, tracker, events):
        assert named(run(self.FALLBACK, tracker(intent="affirm", events=events))) == ["utter_help"]

    def test_yes_to_an_offer_made_earlier(self, run, tracker):
        run(self.FALLBACK, tracker(intent="affirm", events=[*self.OFFERED, *answered("faq/causes")]))
        assert [(event["event"], event["name"]) for event in run.events] == [("followup", "spasm_assessment")]

    @pytest.mark.parametrize("state", [{"intent": "nlu_fallback"}, {"intent": "affirm", "question": "regions"}])
    def test_all_else_is_not_understood(self, run, tracker, state):
        run(self.FALLBACK, tracker(**state))
        assert [(event["event"], event["name"]) for event in run.events] == [("followup", NOT_UNDERSTOOD)]


class TestGreeting:
    def test_says_what_this_is_once(self, run, tracker):
        first = [{"event": "bot", "text": "...", "metadata": {"utter_action": "utter_greet"}}]
        assert named(run("action_greet", tracker(intent="greet"))) == ["utter_greet"]
        assert named(run("action_greet", tracker(intent="greet", events=first))) == ["utter_greet_again"]


def answered(topic):
    """The turn before the latest message: the bot gave the answer to a topic."""
    return [
        {"event": "user", "text": "?"},
        {"event": "action", "name": "action_faq"},
        {"event": "bot", "text": "...", "metadata": {"utter_action": f"utter_{topic}"}},
        {"event": "action", "name": "action_listen"},
    ]


class TestFollowUps:
    NECK = [{"entity": "region", "value": "cervical"}]

    def test_the_same_question_for_another_region(self, run, tracker):
        asked = tracker(intent="follow_up", entities=self.NECK, events=answered("faq/muscle_lowback"))
        assert named(run("action_follow_up", asked)) == ["utter_faq/muscle_neck"]

    def test_an_answer_that_is_the_same_for_all_regions(self, run, tracker):
        asked = tracker(intent="follow_up", entities=self.NECK, events=answered("faq/mri"))
        assert named(run("action_follow_up", asked)) == ["utter_nothing_more_on_region"]

    def test_with_no_answer_before_it(self, run, tracker):
        assert named(run("action_follow_up", tracker(intent="follow_up", entities=self.NECK))) == ["utter_help"]

    def test_only_the_answer_directly_before_counts(self, run, tracker):
        events = [*answered("faq/muscle_lowback"), {"event": "user", "text": "thanks"}, *ran("utter_welcome")]
        asked = tracker(intent="follow_up", entities=self.NECK, events=events)
        assert named(run("action_follow_up", asked)) == ["utter_help"]

    @pytest.mark.parametrize(
        "before, response",
        [
            ("faq/causes", "utter_faq/protective_theory"),
            ("faq/dose", "utter_no_reason_known"),
        ],
    )
    def test_why(self, run, tracker, before, response):
        assert named(run("action_why", tracker(intent="why_ask", events=answered(before)))) == [response]

    def test_why_with_no_answer_before_it(self, run, tracker):
        assert named(run("action_why", tracker(intent="why_ask"))) == ["utter_why_questions"]

    @pytest.mark.parametrize(
        "question, asks, regions",
        [
            (None, True, None),
            (None, False, ["cervical"]),
            ("regions", True, ["cervical"]),
        ],
    )
    def test_a_region_that_is_only_asked_about_is_not_the_visitors(self, run, tracker, question, asks, regions):
        told = {"entity": "region", "value": "cervical", "status": "present", "experiencer": "patient", "said": "neck"}
        entities = [told, {"entity": "question", "value": True}] if asks else [told]
        message = tracker(
            intent="follow_up", entities=entities, events=answered("faq/muscle_lowback"), question=question
        )
        run("action_validate_slot_mappings", message)
        assert message.get_slot("regions") == regions


class TestLeaving:
    ACTION = "action_leave"

    @pytest.mark.parametrize(
        "intent, response", [("goodbye", "utter_goodbye"), ("stop", "utter_stopped"), ("deny", "utter_stopped")]
    )
    def test_says_goodbye(self, run, tracker, intent, response):
        assert named(run(self.ACTION, tracker(intent=intent, **PLAIN))) == [response]

    @pytest.mark.parametrize("flag, level", contract.FLAGS.items())
    def test_a_red_flag_is_told_first(self, run, tracker, flag, level):
        told = tracker(intent="goodbye", red_flags=[flag], said={flag: "my words"})
        result, farewell = run(self.ACTION, told)
        assert result["custom"]["urgency"] == told.get_slot("urgency") == level
        assert result["custom"]["red_flags"] == [flag]
        assert farewell["response"] == "utter_goodbye"

    @pytest.mark.parametrize("flag", contract.FLAGS)
    def test_a_flag_that_was_not_confirmed_is_told_as_open(self, run, tracker, knowledge, flag):
        result, _ = run(self.ACTION, tracker(intent="stop", flags_to_confirm=[flag]))
        assert f"not sure about {knowledge.red_flags[flag].name}" in result["text"]
        assert result["custom"]["red_flags"] == []

    def test_what_was_told_is_not_told_again(self, run, tracker):
        told = tracker(intent="goodbye", red_flags=["fever"])
        run("action_assessment", told)
        assert named(run(self.ACTION, told)) == ["utter_goodbye"]

    def test_a_combination_of_onset_and_sign_is_told_too(self, run, tracker):
        told = tracker(typed(found("onset", "fall"), found("sign", "numb_limb")), intent="goodbye")
        run("action_validate_slot_mappings", told)
        result, _ = run(self.ACTION, told)
        assert result["custom"]["urgency"] == "emergency"


class TestStartingOver:
    def test_forgets_everything_but_the_settings(self, run, tracker, knowledge):
        messages = run("action_start_over", tracker(intent="start_over", red_flags=["fever"], **PLAIN))
        reset, *others = run.events
        assert reset["event"] == "reset_slots"
        kept = {
            event["name"]: event["value"] for event in others if event["event"] == "slot" and event["value"] is not None
        }
        assert kept == dict(knowledge.settings)
        assert named(messages) == ["utter_start_over", "utter_greet"]
        assert messages[0]["custom"] == {"type": "started_over", "urgency": None}

    def test_the_greeting_has_the_emergency_number(self, run, tracker, knowledge):
        *_, greeting = run("action_start_over", tracker(intent="start_over"))
        assert greeting["emergency_number"] == knowledge.settings["emergency_number"]


class TestAWholeConversation:
    """From the first message to the result, with nothing but the actions."""

    def test_by_taps(self, run, tracker):
        told = tracker(question="regions")
        taps = {
            "regions": {"region": "lumbar"},
            "onset": {"onset": "lifting"},
            "warning_signs": None,
            "medical_history": {"red_flag": "osteoporosis"},
            "duration": {"duration": 3},
            "pain_level": {"pain_level": 6},
        }
        asked = []
        while question := self.next_question(run, told):
            asked.append(question)
            run(f"action_ask_{question}", told)
            tap = None if question in asked[:-1] else taps[question]
            payload = f"/inform{json.dumps(tap)}" if tap else None
            latest = tracker(text="/deny", intent="inform" if tap else "deny", payload=payload)
            told.latest_message = latest.latest_message
            told.events += latest.events
            run("action_validate_slot_mappings", told)
        assert asked == [
            "regions",
            "onset",
            "warning_signs",
            "medical_history",
            "medical_history",
            "duration",
            "pain_level",
        ]
        (message,) = run("action_assessment", told)
        assert message["custom"]["urgency"] == "urgent"
        assert message["custom"]["relief"] == []

    @staticmethod
    def next_question(run, told):
        run("validate_spasm_assessment", told)
        return told.get_slot("requested_slot")


def spoken(*messages):
    """The events of a visitor's messages, as (channel, text)."""
    return [{"event": "user", "text": text, "input_channel": channel, "message_id": text} for channel, text in messages]


class TestSession:
    def test_a_new_conversation_carries_nothing(self, run, tracker):
        run("action_session_start", tracker())
        kinds = [event["event"] for event in run.events]
        assert (kinds[0], kinds[-1], run.events[-1]["name"]) == ("session_started", "action", "action_listen")
        assert not [event for event in run.events if event.get("name") == "returned"]

    def test_after_a_silence_what_was_told_is_kept_and_the_open_question_too(self, run, tracker):
        run("action_session_start", tracker(question="onset", regions=["lumbar"], red_flags=["fever"]))
        slots = {event["name"]: event["value"] for event in run.events if event["event"] == "slot"}
        assert slots["regions"] == ["lumbar"] and slots["red_flags"] == ["fever"]
        assert (slots["returned"], slots["paused_at"]) == (True, "onset")
        assert "requested_slot" not in slots

    @pytest.mark.parametrize(
        "slots, response",
        [
            ({"regions": ["lumbar"]}, "utter_welcome_back"),
            (
                {
                    **PLAIN,
                    "warning_signs": "none",
                    "medical_history": "none",
                    "duration": "x",
                    "duration_days": 1,
                    "pain_level": 1,
                    "assessed": {"relief": []},
                },
                "utter_welcome_back_result",
            ),
            ({"red_flags": ["aortic"], "urgency": "emergency"}, "utter_welcome_back_emergency"),
        ],
    )
    def test_the_welcome_fits_what_was_reached(self, run, tracker, slots, response):
        told = tracker(returned=True, **slots)
        assert named(run("action_welcome_back", told)) == [response]
        assert told.get_slot("returned") is False


class TestWaysThrough:
    def test_a_message_is_heard_once(self, run, tracker):
        told = tracker([*typed(found("region", "lumbar"))], events=spoken(("rest", "low back")))
        told.events[-1]["message_id"] = "1"
        run("action_validate_slot_mappings", told)
        assert told.get_slot("regions") == ["lumbar"]
        run("action_validate_slot_mappings", told)
        assert run.events == []

    def test_a_correction_is_acknowledged(self, run, tracker):
        told = tracker(
            [*typed(found("correction", "change"), found("region", "cervical"))], question="onset", regions=["lumbar"]
        )
        run("action_validate_slot_mappings", told)
        assert told.get_slot("corrected") == ["Where it is: neck, not lower back."]
        assert named(run("action_correct", told)) == ["utter_corrected"]
        assert told.get_slot("corrected") is None

    @pytest.mark.parametrize("slots, response", [(PLAIN, "utter_what_to_correct"), ({}, "utter_nothing_told")])
    def test_a_correction_without_a_value_shows_what_was_told(self, run, tracker, slots, response):
        assert named(run("action_correct", tracker(**slots))) == [response]

    def test_start_over_with_an_emergency_asks_first(self, run, tracker):
        told = tracker(red_flags=["aortic"], urgency="emergency", **PLAIN)
        assert run("action_start_over", told) == []
        assert (told.get_slot("flags_to_confirm"), told.get_slot("starting_over"), told.get_slot("red_flags")) == (
            ["aortic"],
            True,
            ["aortic"],
        )

    def test_start_over_after_a_silence_keeps_the_signs(self, run, tracker):
        before = [{"event": "bot", "text": "", "metadata": {"utter_action": "utter_welcome_back"}}]
        told = tracker(events=before, red_flags=["osteoporosis"], said={"osteoporosis": "thin bones"}, **PLAIN)
        messages = run("action_start_over", told)
        assert named(messages) == ["utter_start_over", "utter_flags_kept", "utter_greet"]
        assert messages[1]["said"] == "“thin bones”"

    def test_going_back_opens_the_last_question(self, run, tracker):
        told = tracker(question="onset", regions=["lumbar"], trail=["regions"])
        assert named(run("action_go_back", told)) == ["utter_going_back"]
        assert told.get_slot("regions") is None

    def test_worse_in_an_emergency_asks_nothing(self, run, tracker):
        assert named(run("action_look_again", tracker(red_flags=["aortic"]))) == ["utter_worse_in_emergency"]

    @pytest.mark.parametrize("slots", [PLAIN, {"red_flags": ["fever"]}])
    def test_the_recap_lists_what_was_told(self, run, tracker, slots):
        (message,) = run("action_recap", tracker(**slots))
        assert message["response"] == "utter_recap" and message["recap"].startswith("•")

    def test_the_summary_has_a_page_and_fhir(self, run, tracker):
        text, after = run("action_summary", tracker(**PLAIN))
        assert text["custom"]["fhir"]["resourceType"] == "QuestionnaireResponse"
        assert text["custom"]["document"]["mime_type"] == "text/html"
        assert after["response"] == "utter_summary_given"

    @pytest.mark.parametrize(
        "question", ["regions", "onset", "warning_signs", "medical_history", "duration", "pain_level", "age"]
    )
    @pytest.mark.parametrize(
        "kind, action", [("meaning", "explain_meaning"), ("example", "give_example"), ("explain", "explain_question")]
    )
    def test_every_question_is_explained(self, run, tracker, kind, action, question):
        assert named(run(f"action_{action}", tracker(question=question))) == [f"utter_{kind}_{question}"]

    @pytest.mark.parametrize(
        "asked, wording",
        [([], "ask"), (["ask"], "ask"), (["ask", "ask"], "rephrase"), (["ask", "ask", "rephrase"], "remind")],
    )
    def test_a_question_is_put_alike_twice_at_most(self, run, tracker, asked, wording):
        events = [{"event": "bot", "text": "", "metadata": {"utter_action": f"utter_{word}_regions"}} for word in asked]
        assert named(run("action_ask_regions", tracker(question="regions", events=events))) == [
            f"utter_{wording}_regions"
        ]


class TestCrisis:
    ASKS = {"intent": "faq", "urgency": "emergency"}

    @pytest.mark.parametrize(
        "flags, response",
        [
            (["self_harm"], "utter_crisis"),
            (["self_harm", "chest_pain"], "utter_faq/emergency_wait"),
            (["fall", "limb_weakness"], "utter_faq/emergency_wait"),
            (["chest_pain"], "utter_faq/emergency_wait"),
        ],
    )
    def test_questions_get_the_gentle_answer_only_where_nothing_else_decides(self, run, tracker, flags, response):
        asks = tracker(red_flags=flags, **self.ASKS)
        asks.latest_message["response_selector"] = {"faq": {"response": {"intent_response_key": "faq/emergency_wait"}}}
        assert named(run("action_faq", asks)) == [response]


class TestCheckIn:
    def on(self, tracker, channel, **slots):
        told = tracker(**slots)
        told.events[-1]["input_channel"] = channel
        return told

    @pytest.mark.parametrize("channel, offered", [("callback", True), ("web", True), ("rest", False), (None, False)])
    def test_is_offered_where_the_bot_can_write_first(self, run, tracker, channel, offered):
        told = self.on(tracker, channel, **PLAIN)
        assert ("utter_offer_check_in" in named(run("action_assessment", told))) is offered
        assert "utter_offer_check_in" not in named(run("action_assessment", told))

    def test_is_not_offered_in_an_emergency(self, run, tracker):
        assert "utter_offer_check_in" not in named(
            run("action_assessment", self.on(tracker, "web", red_flags=["aortic"]))
        )

    def test_is_set_kept_over_a_session_and_cancelled(self, run, tracker):
        told = self.on(tracker, "web", **PLAIN)
        assert named(run("action_schedule_check_in", told)) == ["utter_check_in_set"]
        assert [event["event"] for event in run.events] == ["slot", "reminder"]
        reminder = run.events[1]
        run("action_session_start", told)
        (kept,) = [event for event in run.events if event["event"] == "reminder"]
        assert (kept["name"], kept["date_time"], kept["intent"]) == (
            reminder["name"],
            reminder["date_time"],
            "EXTERNAL_check_in",
        )
        assert named(run("action_cancel_check_in", told)) == ["utter_check_in_cancelled"]
        assert {event["event"] for event in run.events} == {"slot", "cancel_reminder"} and told.get_slot(
            "check_in_due"
        ) is None

    @pytest.mark.parametrize("intent, response", [("affirm", "utter_check_in_set"), ("deny", "utter_no_check_in")])
    def test_a_bare_answer_to_the_offer_counts(self, run, tracker, intent, response):
        offer = [{"event": "bot", "text": "", "metadata": {"utter_action": "utter_offer_check_in"}}]
        assert named(run("action_after_result", self.on(tracker, "web", intent=intent, events=offer, **PLAIN))) == [
            response
        ]

    def test_cannot_be_set_where_the_bot_cannot_write_first(self, run, tracker):
        assert named(run("action_schedule_check_in", self.on(tracker, "rest", **PLAIN))) == [
            "utter_check_in_impossible"
        ]
