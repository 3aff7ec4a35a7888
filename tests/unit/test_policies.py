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
    graph = StoryGraph(load_data_from_files([str(path) for path in sorted((paths.ROOT / "data" / "stories").glob("*.yml"))], DOMAIN))
    made = TrainingDataGenerator(
        graph, DOMAIN, use_story_concatenation=augmentation > 0, augmentation_factor=augmentation, remove_duplicates=False
    )
    return made.generate_story_trackers()


STORIES = stories()


def begin(*events):
    tracker = DialogueStateTracker("visitor", DOMAIN.slots)
    tracker.update_with_events([ActionExecuted("action_session_start"), SessionStarted(), ActionExecuted(LISTEN), *events], DOMAIN)
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
    """Each action of a story, behind all that came before it."""
    steps = story.applied_events()
    if isinstance(steps[1], UserUttered):
        steps = steps[1:]
    else:
        # The story begins with something that the bot does, and that is in reply to a message.
        steps = [user("inform"), *steps[1:]]
    tracker = begin(*(event for name in before for event in TURNS[name]))
    started = False
    for event in steps:
        if isinstance(event, ActionExecuted):
            yield tracker, event.action_name, started
        started = started or isinstance(event, ActionExecuted)
        tracker.update(event, DOMAIN)


BEGUN_BY_A_MESSAGE = [story for story in STORIES if isinstance(story.applied_events()[1], UserUttered)]


class TestStoryPolicy:
    @pytest.mark.parametrize("story", STORIES, ids=lambda story: story.sender_id)
    @settings(max_examples=20, deadline=None)
    @given(before=st.lists(st.sampled_from([*TURNS]), max_size=5))
    def test_agrees_with_rasas_behind_any_turns(self, policies, story, before):
        ours, rasas = policies
        for tracker, action, _ in walk(story, before):
            assert chosen(ours, tracker) == chosen(rasas, tracker), f"before {action}"

    @pytest.mark.parametrize("story", BEGUN_BY_A_MESSAGE, ids=lambda story: story.sender_id)
    @settings(max_examples=20, deadline=None)
    @given(before=st.lists(st.sampled_from([*TURNS]), max_size=5))
    def test_follows_a_story_behind_any_turns(self, policies, story, before):
        for tracker, action, _ in walk(story, before):
            assert chosen(policies[0], tracker) == action

    @pytest.mark.parametrize("intent", ["faq", "human", "nlu_fallback"])
    def test_is_silent_where_no_story_goes_on(self, policies, intent):
        assert [chosen(policy, begin(user("greet"), *turn("greet", "action_greet")[1:], user(intent))) for policy in policies] == [None, None]
