"""The policies: danger signs and exits first, and the stories behind whatever came before them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from messages import found, typed
from rasa.core.policies.memoization import AugmentedMemoizationPolicy
from rasa.engine.graph import ExecutionContext, GraphSchema
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, ActiveLoop, SessionStarted, SlotSet, UserUttered
from rasa.shared.core.generator import TrainingDataGenerator
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.core.training_data.loading import load_data_from_files
from rasa.shared.core.training_data.structures import StoryGraph
from ruamel.yaml import YAML

from backtalk import paths
from backtalk.policies.screening import ScreeningPolicy
from backtalk.policies.stories import StoryPolicy

CONTEXT = ExecutionContext(GraphSchema({}), node_name="policy")
DOMAIN = Domain.load([str(paths.ROOT / "domain.yml"), str(paths.ROOT / "data" / "responses")])
CONFIG = {entry["name"].split(".")[-1]: entry for entry in YAML(typ="safe").load(paths.ROOT / "config.yml")["policies"]}
FORM, LISTEN = "spasm_assessment", "action_listen"


def stories(augmentation=0):
    """The project's stories as trackers: each by itself, or as Rasa makes them to train with."""
    files = sorted(map(str, (paths.ROOT / "data" / "stories").glob("*.yml")))
    graph = StoryGraph(load_data_from_files(files, DOMAIN))
    made = TrainingDataGenerator(
        graph,
        DOMAIN,
        use_story_concatenation=augmentation > 0,
        augmentation_factor=augmentation,
        remove_duplicates=False,
    )
    return made.generate_story_trackers()


STORIES = stories()


def begin(*events):
    tracker = DialogueStateTracker("visitor", DOMAIN.slots)
    beginning = [ActionExecuted("action_session_start"), SessionStarted(), ActionExecuted(LISTEN)]
    tracker.update_with_events([*beginning, *events], DOMAIN)
    return tracker


def user(intent, confidence=1.0, entities=()):
    return UserUttered("words", {"name": intent, "confidence": confidence}, [*entities])


def chosen(policy, tracker):
    """The action that a policy is certain of, or None."""
    scores = policy.predict_action_probabilities(tracker, DOMAIN).probabilities
    return DOMAIN.action_names_or_texts[scores.index(1.0)] if max(scores) else None


def turn(intent, *actions):
    """A turn of a conversation: a message, and what the bot does until it listens again."""
    steps = [action if isinstance(action, (ActiveLoop, SlotSet)) else ActionExecuted(action) for action in actions]
    return [user(intent), *steps, ActionExecuted(LISTEN)]


# Turns that may stand before a story; none leaves the questionnaire open.
TURNS = {
    "question": turn("faq", "action_faq"),
    "relief": turn("relief", "action_relief"),
    "small talk": turn("chitchat", "utter_chitchat"),
    "something else": turn("out_of_scope", "utter_out_of_scope"),
    "greeting": turn("greet", "action_greet"),
    "yes": turn("affirm", "action_default_fallback", "utter_help"),
    "no": turn("deny", "utter_other_ways"),
    "thanks": turn("thanks", "utter_welcome"),
    "not understood": turn("nlu_fallback", "action_not_understood"),
    "slots": turn("faq", "action_faq", SlotSet("regions", ["lumbar"]), SlotSet("pain_level", 4)),
    "questionnaire": [
        *turn("report_spasm", FORM, ActiveLoop(FORM), SlotSet("requested_slot", "regions")),
        *turn("faq", "action_faq", FORM, SlotSet("requested_slot", "onset")),
        *turn("inform", FORM, ActiveLoop(None), SlotSet("requested_slot", None), "action_assessment"),
    ],
    "left": [*turn("report_spasm", FORM, ActiveLoop(FORM)), *turn("stop", "action_leave", ActiveLoop(None))],
}


@pytest.fixture(scope="module")
def policies(tmp_path_factory):
    """The policy under test and Rasa's, trained on the project's stories."""
    trained = []
    for kind in (StoryPolicy, AugmentedMemoizationPolicy):
        storage = LocalModelStorage(tmp_path_factory.mktemp("model"))
        config = {**kind.get_default_config(), "max_history": CONFIG["StoryPolicy"]["max_history"]}
        kind(config, storage, Resource("policy"), CONTEXT).train(stories(augmentation=50), DOMAIN)
        trained.append(kind.load(config, storage, Resource("policy"), CONTEXT))
    return trained


def walk(story, before):
    """Each action that a story leads to, behind other turns: the tracker before it, and its name."""
    events = story.applied_events()
    leads = isinstance(events[1], UserUttered)
    # A story that begins with an action of the bot does not say why: some message led there.
    steps = events[1:] if leads else [user("inform"), *events]
    tracker = begin(*(event for name in before for event in TURNS[name]))
    for event in steps:
        if isinstance(event, ActionExecuted):
            if leads:
                yield tracker, event.action_name
            leads = True
        tracker.update(event, DOMAIN)


class TestStoryPolicy:
    @pytest.mark.parametrize("story", STORIES, ids=lambda story: story.sender_id)
    @settings(max_examples=20, deadline=None)
    @given(before=st.lists(st.sampled_from([*TURNS]), max_size=5))
    def test_agrees_with_rasas_behind_any_turns(self, policies, story, before):
        ours, rasas = policies
        for tracker, action in walk(story, before):
            assert chosen(ours, tracker) == chosen(rasas, tracker), f"before {action}"

    @pytest.mark.parametrize("story", STORIES, ids=lambda story: story.sender_id)
    @settings(max_examples=20, deadline=None)
    @given(before=st.lists(st.sampled_from([*TURNS]), max_size=5))
    def test_follows_a_story_behind_any_turns(self, policies, story, before):
        steps = [(chosen(policies[0], tracker), action) for tracker, action in walk(story, before)]
        assert steps
        assert [choice for choice, _ in steps] == [action for _, action in steps]

    @pytest.mark.parametrize("intent", ["faq", "human", "nlu_fallback"])
    def test_is_silent_where_no_story_goes_on(self, policies, intent):
        tracker = begin(*turn("greet", "action_greet"), user(intent))
        assert [chosen(policy, tracker) for policy in policies] == [None, None]


class TestScreeningWhereTheVisitorWantsToLeave:
    SURE = CONFIG["ScreeningPolicy"]["sure"]

    @pytest.fixture
    def policy(self, tmp_path):
        settings = {key: value for key, value in CONFIG["ScreeningPolicy"].items() if key != "name"}
        config = {**ScreeningPolicy.get_default_config(), **settings}
        return ScreeningPolicy.load(config, LocalModelStorage(tmp_path), Resource("policy"), CONTEXT)

    def asked(self, message, **slots):
        """A questionnaire whose open question has just got this message."""
        opened = turn("report_spasm", FORM, ActiveLoop(FORM), SlotSet("requested_slot", "onset"))
        return begin(*opened, message, *(SlotSet(name, value) for name, value in slots.items()))

    @pytest.mark.parametrize(
        "intent, action", [("goodbye", "action_leave"), ("stop", "action_leave"), ("start_over", "action_start_over")]
    )
    @pytest.mark.parametrize(
        "confidence, answered, leaves",
        [
            (1.0, True, True),
            (SURE, True, True),
            (SURE - 0.01, True, False),
            (1.0, False, True),
            (SURE, False, True),
            (SURE - 0.01, False, True),
            (0.0, False, True),
        ],
    )
    def test_an_answer_counts_unless_the_intent_is_sure(self, policy, intent, action, confidence, answered, leaves):
        tracker = self.asked(user(intent, confidence), answered=answered)
        assert chosen(policy, tracker) == (action if leaves else None)

    @pytest.mark.parametrize("intent", ["inform", "affirm", "thanks"])
    def test_being_sure_of_another_intent_leads_nowhere(self, policy, intent):
        assert chosen(policy, self.asked(user(intent, 1.0), answered=True)) is None

    @pytest.mark.parametrize("confidence", [1.0, SURE - 0.01])
    def test_a_question_is_answered_however_sure_its_intent_is(self, policy, confidence):
        question = typed(found("onset", "lifting"), question=True)
        assert chosen(policy, self.asked(user("faq", confidence, question), answered=True)) == "action_faq"

    @pytest.mark.parametrize("confidence", [1.0, 0.1])
    def test_danger_comes_before_leaving(self, policy, confidence):
        tracker = self.asked(user("stop", confidence), assessment_due=True)
        assert chosen(policy, tracker) == "action_assessment"

    def test_outside_the_questionnaire_it_leaves_leaving_to_the_rules(self, policy):
        assert chosen(policy, begin(user("stop", 1.0))) is None
