"""What trainers write: training phrases, responses, rules and stories agree with each other and with the knowledge."""

import json
import re
import string

import contract
import pytest
from messages import as_sent
from ruamel.yaml import YAML

from backtalk import paths
from backtalk.knowledge import load_knowledge
from backtalk.wording import personal

DATA = paths.ROOT / "data"
RETRIEVAL = ("faq", "relief", "chitchat")
# Answers that say that there is nothing reliable to say, and state no medical fact.
SILENT = {
    "utter_faq/dose", "utter_faq/cost", "utter_faq/driving", "utter_faq/food_drink", "utter_faq/pregnancy",
    "utter_faq/sitting_posture",
}  # fmt: skip
SOURCE_LINE = re.compile(r"Sources?: (.+)\.$")
PUNCTUATION = str.maketrans("", "", string.punctuation + "’‘“”…–—")


def load(path):
    return YAML(typ="safe").load(path)


def load_all(folder):
    return [load(path) for path in sorted(folder.glob("*.yml"))]


def phrases_by_intent():
    """Every training phrase, by intent."""
    found = {}
    for content in load_all(DATA / "nlu"):
        for block in content["nlu"]:
            lines = [line.strip() for line in block.get("examples", "").split("\n")]
            found.setdefault(block["intent"], []).extend(line[2:] for line in lines if line.startswith("- "))
    return found


def responses_by_name():
    return {
        name: variants for content in load_all(DATA / "responses") for name, variants in content["responses"].items()
    }


def normalised(text):
    """A message without what does not matter: case, punctuation, spaces."""
    return " ".join(text.casefold().translate(PUNCTUATION).split())


PHRASES = phrases_by_intent()
RESPONSES = responses_by_name()
TEXTS = [(name, variant["text"]) for name, variants in RESPONSES.items() for variant in variants if "text" in variant]
BUTTONS = [
    (name, variant["buttons"]) for name, variants in RESPONSES.items() for variant in variants if "buttons" in variant
]
MEDICAL = [
    (name, text) for name, text in TEXTS if name.startswith(("utter_faq/", "utter_relief/")) and name not in SILENT
]
HELD_OUT = [
    path for path in sorted((paths.ROOT / "tests" / "understanding").glob("*.yml")) if path.stem != "second_reading"
]

every_text = pytest.mark.parametrize("name, text", TEXTS, ids=[name for name, _ in TEXTS])


class TestIntents:
    def test_training_data_and_domain_have_the_same(self, domain):
        of_data = {intent.split("/")[0] for intent in PHRASES}
        made_by_the_pipeline = {"message_too_long", "message_unreadable", "EXTERNAL_check_in"}
        assert of_data | made_by_the_pipeline == {
            intent if isinstance(intent, str) else next(iter(intent)) for intent in domain["intents"]
        }

    @pytest.mark.parametrize("retrieval", RETRIEVAL)
    def test_every_question_has_an_answer_and_the_reverse(self, retrieval):
        asked = {intent for intent in PHRASES if intent.startswith(f"{retrieval}/")}
        answered = {name.removeprefix("utter_") for name in RESPONSES if name.startswith(f"utter_{retrieval}/")}
        assert asked == answered != set()

    def test_relief_questions_are_those_of_the_knowledge(self, knowledge):
        asked = {intent.split("/")[1] for intent in PHRASES if intent.startswith("relief/")}
        assert asked - {"overview"} == set(knowledge.relief) == set(contract.RELIEF)

    def test_questions_that_speak_of_relief_exist(self, knowledge):
        assert {f"faq/{question}" for question in knowledge.relief_questions} <= set(PHRASES)

    @pytest.mark.parametrize("intent", PHRASES)
    def test_has_phrases_of_its_own(self, intent):
        assert len(PHRASES[intent]) >= 8
        others = {normalised(phrase) for other, phrases in PHRASES.items() if other != intent for phrase in phrases}
        assert not others & {normalised(phrase) for phrase in PHRASES[intent]}

    @pytest.mark.parametrize("intent", PHRASES)
    def test_has_no_phrase_twice(self, intent):
        phrases = [normalised(phrase) for phrase in PHRASES[intent]]
        assert not {phrase for phrase in phrases if phrases.count(phrase) > 1}


class TestHeldOutMessages:
    def test_there_are_some(self):
        assert HELD_OUT

    @pytest.mark.parametrize("path", HELD_OUT, ids=lambda path: path.name)
    def test_none_is_a_training_phrase(self, path):
        trained = {normalised(phrase) for phrases in PHRASES.values() for phrase in phrases}
        messages = {normalised(str(message["text"])) for message in load(path)}
        assert messages
        assert sorted(trained & messages) == []


@pytest.mark.parametrize("name, text", MEDICAL, ids=[name for name, _ in MEDICAL])
class TestMedicalAnswers:
    def test_ends_with_sources_that_exist(self, name, text):
        line = SOURCE_LINE.fullmatch(text.strip().split("\n")[-1].strip())
        assert line, "no Source line at the end"
        names = line[1].split("; ")
        assert set(names) <= {source.name for source in load_knowledge().sources.values()}
        assert len(names) == len(set(names))

    def test_calls_one_source_a_source_and_several_sources(self, name, text):
        last = text.strip().split("\n")[-1].strip()
        assert last.startswith("Sources: " if "; " in last else "Source: ")


@pytest.mark.parametrize("name", sorted(SILENT))
def test_a_silent_answer_says_so_and_whom_to_ask(name):
    (variant,) = RESPONSES[name]
    assert re.search(r"no reliable information|I can't", variant["text"])
    assert re.search(r"\b[Aa]sk\b|\bcall\b|can look at", variant["text"])


@pytest.mark.parametrize(
    "name",
    [
        name
        for name, text in TEXTS
        if re.search(r"\bSources?:", text) and not name.startswith(("utter_faq/", "utter_relief/"))
    ],
)
def test_other_sources_exist_too(knowledge, name):
    lines = [line for variant in RESPONSES[name] for line in re.findall(r"Sources?: (.+)\.", variant["text"])]
    named = [part for line in lines for part in line.split("; ")]
    assert set(named) <= {source.name for source in knowledge.sources.values()}


@every_text
class TestTexts:
    def test_gives_no_dose(self, name, text):
        assert not contract.DOSE.search(text)

    def test_has_only_settings_and_what_actions_give_to_fill_in(self, name, text):
        given_by_actions = {"question", "sign", "said", "changes", "recap", "when"}
        assert set(re.findall(r"\{(.*?)\}", text)) <= set(load_knowledge().settings) | given_by_actions

    @pytest.mark.parametrize("pronoun", ["you", "he", "she", "they"])
    def test_speaks_to_everyone(self, name, text, pronoun):
        assert not re.search(r"[\[\]|]|\b(?:is|has|was|does) they\b", personal(text, pronoun))

    def test_is_short_enough_for_every_channel(self, name, text):
        assert 0 < len(text.strip()) <= 1000


@pytest.mark.parametrize("name, buttons", BUTTONS, ids=[name for name, _ in BUTTONS])
class TestButtons:
    def test_fit_every_channel(self, name, buttons):
        assert 0 < len(buttons) <= 10
        assert max(len(button["title"]) for button in buttons) <= 20
        assert max(len(as_sent(button["payload"]).encode()) for button in buttons) <= 64

    def test_differ(self, name, buttons):
        for part in ("title", "payload"):
            assert len({button[part] for button in buttons}) == len(buttons)

    def test_send_what_the_bot_knows(self, name, buttons, domain):
        kinds = {
            "region": {*contract.REGIONS, "everywhere"},
            "onset": set(contract.ONSETS),
            "pain_level": set(range(11)),
            "age": {15, 16},
        }
        for button in buttons:
            if button["payload"].startswith("/"):
                intent, brace, entities = as_sent(button["payload"])[1:].partition("{")
                assert intent in domain["intents"]
                for kind, value in json.loads(brace + entities or "{}").items():
                    assert value in kinds[kind]


class TestNamesThatExist:
    def test_topics_of_follow_ups(self):
        follow_ups = load(paths.KNOWLEDGE / "follow_ups.yml")["follow_ups"]
        topics = {*follow_ups["why"], *follow_ups["why"].values()}
        for entry in follow_ups["regions"]:
            topics |= {*entry["after"], *(topic for name, topic in entry.items() if name != "after")}
        assert topics
        assert sorted(topic for topic in topics if f"utter_{topic}" not in RESPONSES) == []

    def steps(self):
        """Every step of the rules and stories."""
        for content in [*load_all(DATA / "rules"), *load_all(DATA / "stories")]:
            for entry in (*content.get("rules", ()), *content.get("stories", ())):
                for step in entry["steps"]:
                    yield step
                    yield from step.get("or", ())

    def test_actions_of_rules_and_stories(self, domain):
        retrieval = {f"utter_{intent}" for intent in RETRIEVAL}
        known = {*domain["actions"], *domain["forms"], *RESPONSES, *retrieval, "action_deactivate_loop"}
        used = {step["action"] for step in self.steps() if "action" in step}
        assert used and used <= known

    def test_intents_of_rules_and_stories(self, domain):
        used = {step["intent"] for step in self.steps() if "intent" in step}
        assert used and used <= {*domain["intents"], "nlu_fallback"}

    def test_responses_that_actions_name(self):
        code = "\n".join(path.read_text() for path in sorted((paths.ROOT / "actions").glob("*.py")))
        # "utter_action" is Rasa's name for what response a bot message came from.
        used = set(re.findall(r'"(utter_\w+)"', code)) - {"utter_action"}
        assert used and used <= set(RESPONSES)

    @pytest.mark.parametrize("question", [*contract.QUESTIONS, "flags_to_confirm"])
    def test_responses_of_a_question(self, question):
        openings = {"open_{}", "open_{}_again", "which_{}"} if question in contract.CHECKLISTS else {"ask_{}"}
        openings = set() if question == "flags_to_confirm" else openings
        needed = {f"utter_{opening.format(question)}" for opening in {*openings, "rephrase_{}", "explain_{}"}}
        assert needed <= set(RESPONSES)

    def test_no_response_stands_twice(self):
        names = [name for content in load_all(DATA / "responses") for name in content["responses"]]
        assert len(names) == len(set(names)) == len(RESPONSES)
