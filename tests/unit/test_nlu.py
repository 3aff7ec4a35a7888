"""The components of the pipeline: findings, sentence vectors, questions, and what is out of scope."""

import hashlib

import numpy as np
import pytest
from rasa.engine.graph import ExecutionContext, GraphSchema
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.nlu.featurizers.featurizer import Featurizer
from rasa.shared.nlu.constants import ENTITIES, FEATURE_TYPE_SENTENCE, INTENT_RESPONSE_KEY, TEXT
from rasa.shared.nlu.training_data.features import Features
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from scipy.sparse import csr_matrix

from backtalk.language.entities import KINDS
from backtalk.language.model_files import ModelFileError, packaged_file
from backtalk.nlu.encoder import SentenceEncoder
from backtalk.nlu.findings import ClinicalFindings
from backtalk.nlu.questions import QuestionClassifier
from backtalk.nlu.scope import ScopeDecision

CONTEXT = ExecutionContext(GraphSchema({}), node_name="component")
RESOURCE = Resource("component")


def load(component, storage=None, **settings):
    """A component as Rasa loads it to serve messages."""
    return component.load({**component.get_default_config(), **settings}, storage, RESOURCE, CONTEXT)


def sentence(message):
    """The dense sentence feature of a message, without its first dimension; None where it has none."""
    _, dense = message.get_dense_features(TEXT)
    return dense.features[0] if dense else None


def with_features(text, dense, sparse=None, **data):
    """A message with sentence features made by hand."""
    message = Message({TEXT: text, **data})
    message.add_features(Features(np.array([dense], dtype=np.float32), FEATURE_TYPE_SENTENCE, TEXT, "dense"))
    if sparse:
        message.add_features(Features(csr_matrix([sparse], dtype=np.float32), FEATURE_TYPE_SENTENCE, TEXT, "sparse"))
    return message


class TestFeaturesOfFindings:
    @pytest.fixture(scope="class")
    @classmethod
    def names(cls, knowledge):
        """What each number of the feature stands for."""
        return [*KINDS, *knowledge.regions]

    @pytest.fixture(scope="class")
    @classmethod
    def findings(cls):
        return load(ClinicalFindings, weight=2.0)

    def read(self, findings, text, **data):
        (message,) = findings.process([Message({TEXT: text, **data})])
        return message

    @pytest.mark.parametrize(
        "text, present",
        [
            ("hello there", set()),
            ("which muscles are in the neck", {"region", "cervical"}),
            ("my lower back hurts", {"complaint", "region", "lumbar"}),
            ("it goes from the neck to the middle back", {"region", "cervical", "thoracic"}),
            ("I cannot hold my pee", {"red_flag"}),
            ("I take blood thinners", {"caution"}),
            ("I lifted a box", {"onset"}),
            ("for three days", {"duration"}),
            ("the pain is 6 out of 10", {"complaint", "pain_level"}),
            ("", set()),
        ],
    )
    def test_name_the_kinds_and_regions_of_a_message(self, findings, names, text, present):
        vector = sentence(self.read(findings, text))
        assert vector.shape == (len(names),)
        assert {name for name, value in zip(names, vector, strict=True) if value} >= present
        assert bool(vector.any()) == bool(present)
        assert set(vector.tolist()) <= {0.0, 2.0}

    @pytest.mark.parametrize(
        "text", ["my neck and lower back since the crash 2 days ago, no fever", "no", "do I need an mri"]
    )
    def test_agree_with_the_entities(self, findings, names, text):
        message = self.read(findings, text)
        entities = message.get(ENTITIES)
        expected = {e["entity"] for e in entities} | {e["value"] for e in entities if e["entity"] == "region"}
        assert expected
        assert {name for name, value in zip(names, sentence(message), strict=True) if value} == expected & {*names}

    def test_weight_0_gives_none_and_the_entities_all_the_same(self):
        message = self.read(load(ClinicalFindings, weight=0), "my lower back hurts")
        assert sentence(message) is None
        assert {entity["entity"] for entity in message.get(ENTITIES)} >= {"complaint", "region"}

    def test_a_weight_below_0_is_refused(self):
        with pytest.raises(ValueError, match="weight"):
            load(ClinicalFindings, weight=-0.5)

    def test_entities_that_were_there_stay(self, findings):
        there = {"entity": "region", "value": "cervical", "extractor": "RegexMessageHandler"}
        entities = self.read(findings, "my lower back", entities=[there]).get(ENTITIES)
        assert entities[0] == there
        assert "lumbar" in {entity["value"] for entity in entities[1:]}

    def test_training_examples_keep_their_annotated_entities(self, findings, names):
        annotated = [{"entity": "region", "value": "somewhere", "start": 3, "end": 13}]
        example = Message({TEXT: "my lower back hurts", ENTITIES: [*annotated]})
        findings.process_training_data(TrainingData([example]))
        assert example.get(ENTITIES) == annotated
        assert sentence(example)[names.index("lumbar")] == 2.0

    def test_training_examples_have_the_features_of_messages(self, findings):
        text = "my neck seized up when I woke up"
        example = Message({TEXT: text})
        findings.process_training_data(TrainingData([example]))
        assert sentence(example).any()
        assert sentence(example).tolist() == sentence(self.read(findings, text)).tolist()

    def test_training_examples_without_text_have_none(self, findings):
        example = Message({"intent": "greet"})
        findings.process_training_data(TrainingData([example]))
        assert sentence(example) is None


class TestSentenceEncoder:
    SCALE = 6.0
    TEXTS = (
        "my neck hurts",
        "hi",
        "what should I do when the middle of my back has been stiff for a whole week and nothing helps",
        "can you order a pizza for me",
    )

    @pytest.fixture(scope="class")
    @classmethod
    def encoder(cls):
        return load(SentenceEncoder, scale=cls.SCALE)

    def vectors(self, encoder, *texts):
        return [sentence(message) for message in encoder.process([Message({TEXT: text}) for text in texts])]

    def likeness(self, one, other):
        return float(one @ other) / self.SCALE**2

    @pytest.mark.parametrize("text", [*TEXTS, "", "😀", "back " * 1000])
    def test_a_vector_has_384_numbers_and_the_length_of_the_scale(self, encoder, text):
        (vector,) = self.vectors(encoder, text)
        assert vector.shape == (384,)
        assert np.linalg.norm(vector) == pytest.approx(self.SCALE, rel=1e-4)

    def test_messages_of_different_lengths_do_not_swap_their_vectors(self, encoder):
        together = self.vectors(encoder, *self.TEXTS)
        alone = [self.vectors(encoder, text)[0] for text in self.TEXTS]
        for number, vector in enumerate(together):
            assert int(np.argmax([self.likeness(vector, other) for other in alone])) == number

    def test_like_meanings_have_like_vectors(self, encoder):
        stiff, sore, pizza = self.vectors(encoder, "my neck is stiff", "I have a sore neck", "can you order a pizza")
        assert self.likeness(stiff, sore) > 2 * self.likeness(stiff, pizza)

    def test_training_examples_have_the_vectors_of_messages(self, encoder):
        example, without_text = Message({TEXT: self.TEXTS[0]}), Message({"intent": "greet"})
        encoder.process_training_data(TrainingData([example, without_text]))
        assert self.likeness(sentence(example), self.vectors(encoder, self.TEXTS[0])[0]) == pytest.approx(1, abs=1e-3)
        assert sentence(without_text) is None

    @pytest.mark.parametrize("settings", [{"threads": 0}, {"scale": 0}, {"scale": -1.0}])
    def test_settings_that_cannot_work_are_refused(self, settings):
        with pytest.raises(ValueError, match="SentenceEncoder"):
            load(SentenceEncoder, **settings)


class TestModelFiles:
    CONTENT = b"weights"
    DIGEST = hashlib.sha256(CONTENT).hexdigest()

    @pytest.fixture
    def package(self, tmp_path, monkeypatch):
        """A package with a model file."""
        name = f"package_of_{tmp_path.name}"
        (tmp_path / name / "model").mkdir(parents=True)
        (tmp_path / name / "__init__.py").touch()
        (tmp_path / name / "model" / "weights.onnx").write_bytes(self.CONTENT)
        monkeypatch.syspath_prepend(str(tmp_path))
        return name

    def refusal(self, *file):
        with pytest.raises(ModelFileError) as caught:
            packaged_file(*file)
        return str(caught.value)

    def test_the_expected_file_is_accepted(self, package):
        assert packaged_file(package, "model/weights.onnx", self.DIGEST).read_bytes() == self.CONTENT

    def test_an_altered_file_is_refused(self, package, tmp_path):
        altered = b"other weights"
        (tmp_path / package / "model" / "weights.onnx").write_bytes(altered)
        message = self.refusal(package, "model/weights.onnx", self.DIGEST)
        for part in (
            package,
            "model/weights.onnx",
            "altered",
            self.DIGEST,
            hashlib.sha256(altered).hexdigest(),
            "make setup",
        ):
            assert part in message

    def test_a_missing_file_is_refused(self, package):
        message = self.refusal(package, "model/tokenizer.json", self.DIGEST)
        for part in (package, "model/tokenizer.json", "missing", "make setup"):
            assert part in message

    def test_a_package_that_is_not_installed_is_refused(self):
        message = self.refusal("no_such_package_of_weights", "model.onnx", self.DIGEST)
        for part in ("no_such_package_of_weights", "not installed", "make setup"):
            assert part in message


# Each is a direction of its own in the features made by hand.
QUESTIONS = (
    "greet",
    "thanks",
    "help",
    "out_of_scope",
    "faq/causes",
    "faq/mri",
    "faq/trapezius",
    "faq/diagnosis",
    "relief/massage",
    "relief/heat_ice",
)
INTENTS = {question.split("/")[0] for question in QUESTIONS}


def about(question, **data):
    """A message that asks one of QUESTIONS."""
    return with_features(f"about {question}", [8.0 * (question == other) for other in QUESTIONS], **data)


def examples():
    """Two training examples for each question."""
    made = []
    for question in QUESTIONS:
        labels = {"intent": question.split("/")[0], **({INTENT_RESPONSE_KEY: question} if "/" in question else {})}
        made += [about(question, **labels), about(question, **labels)]
    return made


class TestQuestionClassifier:
    @pytest.fixture(scope="class")
    @classmethod
    def storage(cls, tmp_path_factory):
        return LocalModelStorage(tmp_path_factory.mktemp("model"))

    @pytest.fixture(scope="class")
    @classmethod
    def trained(cls, storage):
        config = {**QuestionClassifier.get_default_config(), "ranking_length": 0}
        classifier = QuestionClassifier.create(config, storage, RESOURCE, CONTEXT)
        assert classifier.train(TrainingData(examples())) == RESOURCE
        return classifier

    def classify(self, classifier, message):
        (processed,) = classifier.process([message])
        return processed.as_dict(only_output_properties=True)

    def mixed(self):
        """A message between several questions."""
        return with_features("this and that", [3, 0, 0, 1, 2, 2, 0, 0, 1, 2])

    @pytest.mark.parametrize("question", QUESTIONS)
    def test_finds_the_intent(self, trained, question):
        output = self.classify(trained, about(question))
        assert output["intent"]["name"] == question.split("/")[0]
        assert output["intent"] == output["intent_ranking"][0]

    @pytest.mark.parametrize("question", [question for question in QUESTIONS if "/" in question])
    def test_finds_the_question_as_a_response_selector_does(self, trained, question):
        found = self.classify(trained, about(question))["response_selector"][question.split("/")[0]]
        assert found["response"]["intent_response_key"] == question
        assert found["response"]["utter_action"] == f"utter_{question}"
        assert 0.5 < found["response"]["confidence"] <= 1

    def test_every_retrieval_intent_has_an_answer_ready(self, trained):
        selected = self.classify(trained, about("greet"))["response_selector"]
        assert selected["all_retrieval_intents"] == ["faq", "relief"]
        assert set(selected) == {"all_retrieval_intents", "faq", "relief"}

    def test_answers_are_ranked_within_their_intent(self, trained):
        selected = self.classify(trained, self.mixed())["response_selector"]
        for intent, questions in (("faq", 4), ("relief", 2)):
            ranking = selected[intent]["ranking"]
            confidences = [entry["confidence"] for entry in ranking]
            assert len(ranking) == min(questions, 3)
            assert {entry["intent_response_key"].split("/")[0] for entry in ranking} == {intent}
            assert confidences == sorted(confidences, reverse=True)
            assert ranking[0] == {
                key: selected[intent]["response"][key] for key in ("intent_response_key", "confidence")
            }
        assert sum(entry["confidence"] for entry in selected["relief"]["ranking"]) == pytest.approx(1)

    @pytest.mark.parametrize(
        "message", [about("faq/mri"), with_features("this and that", [3, 0, 0, 1, 2, 2, 0, 0, 1, 2])]
    )
    def test_probabilities_of_the_intents_add_up_to_1(self, trained, message):
        ranking = self.classify(trained, message)["intent_ranking"]
        assert {entry["name"] for entry in ranking} == INTENTS
        assert sum(entry["confidence"] for entry in ranking) == pytest.approx(1)
        assert [entry["confidence"] for entry in ranking] == sorted((e["confidence"] for e in ranking), reverse=True)

    def test_an_intent_is_as_probable_as_its_questions_together(self, trained):
        # All questions are alike to the model but for their direction, and none of the four of faq leads alone.
        level = with_features("anything", [0.0] * len(QUESTIONS))
        ranking = {entry["name"]: entry["confidence"] for entry in self.classify(trained, level)["intent_ranking"]}
        for intent in INTENTS:
            questions = sum(question.split("/")[0] == intent for question in QUESTIONS)
            assert ranking[intent] == pytest.approx(questions / len(QUESTIONS), abs=0.01)

    @pytest.mark.parametrize("length, listed", [(1, 1), (3, 3), (0, len(INTENTS)), (50, len(INTENTS))])
    def test_ranking_length(self, trained, storage, length, listed):
        output = self.classify(load(QuestionClassifier, storage, ranking_length=length), self.mixed())
        assert len(output["intent_ranking"]) == listed
        assert output["intent"] == output["intent_ranking"][0]

    def test_a_loaded_model_gives_the_same_output(self, trained, storage):
        loaded = load(QuestionClassifier, storage, ranking_length=0)
        assert self.classify(loaded, self.mixed()) == self.classify(trained, self.mixed())

    def test_sparse_features_count_as_well_as_dense_ones(self, tmp_path):
        def message(dense, sparse, **labels):
            return with_features("words", [9.0 * dense, 0.0], [9.0 * sparse, 0.0, 1.0], **labels)

        taught = {"greet": (0, 0), "thanks": (1, 0), "help": (0, 1)}
        classifier = QuestionClassifier.create(
            QuestionClassifier.get_default_config(), LocalModelStorage(tmp_path), RESOURCE, CONTEXT
        )
        classifier.train(
            TrainingData([message(*values, intent=intent) for intent, values in taught.items() for _ in range(3)])
        )
        assert [self.classify(classifier, message(*values))["intent"]["name"] for values in taught.values()] == [
            *taught
        ]

    def test_learns_from_messages_only(self, tmp_path):
        classifier = QuestionClassifier.create(
            {**QuestionClassifier.get_default_config(), "ranking_length": 0},
            LocalModelStorage(tmp_path),
            RESOURCE,
            CONTEXT,
        )
        classifier.train(TrainingData([*examples(), Message({"intent": "no_such_intent"})]))
        assert {entry["name"] for entry in self.classify(classifier, self.mixed())["intent_ranking"]} == INTENTS

    def test_needs_a_featurizer_before_it(self):
        (needed,) = QuestionClassifier.required_components()
        assert needed is Featurizer
        assert issubclass(SentenceEncoder, needed) and issubclass(ClinicalFindings, needed)


PAIN = {"entity": "complaint", "value": "pain"}


class TestScopeDecision:
    SETTINGS = {"out_of_scope_threshold": 0.3, "threshold": 0.4}

    def decide(self, ranking, entities=()):
        """The message as Rasa sends it on, its ranking given as probabilities of intents, the likeliest first."""
        listed = [{"name": name, "confidence": confidence} for name, confidence in ranking.items()]
        message = Message({TEXT: "words", "intent": listed[0], "intent_ranking": listed, ENTITIES: [*entities]})
        (decided,) = load(ScopeDecision, **self.SETTINGS).process([message])
        return decided.as_dict(only_output_properties=True)

    @pytest.mark.parametrize(
        "ranking, intent",
        [
            ({"faq": 0.9, "out_of_scope": 0.1}, "faq"),
            ({"faq": 0.4, "greet": 0.35, "out_of_scope": 0.25}, "faq"),
            ({"faq": 0.39, "greet": 0.36, "out_of_scope": 0.25}, "nlu_fallback"),
            ({"faq": 0.7, "out_of_scope": 0.3}, "out_of_scope"),
            ({"out_of_scope": 0.8, "faq": 0.2}, "out_of_scope"),
            ({"out_of_scope": 0.29, "faq": 0.28, "greet": 0.26}, "nlu_fallback"),
            ({"faq": 0.6, "greet": 0.4}, "faq"),
            ({"faq": 0.2, "greet": 0.2}, "nlu_fallback"),
        ],
    )
    def test_decides_by_both_thresholds(self, ranking, intent):
        assert self.decide(ranking)["intent"]["name"] == intent

    @pytest.mark.parametrize(
        "entity",
        [
            PAIN,
            {"entity": "red_flag", "value": "fever", "status": "denied"},
            {"entity": "sign", "value": "numb_limb"},
            {"entity": "onset", "value": "accident"},
            {"entity": "onset", "value": "fall"},
        ],
        ids=lambda entity: entity["value"],
    )
    @pytest.mark.parametrize(
        "ranking, intent",
        [
            ({"out_of_scope": 0.5, "report_spasm": 0.45}, "report_spasm"),
            ({"out_of_scope": 0.9, "report_spasm": 0.1}, "nlu_fallback"),
        ],
    )
    def test_a_message_about_a_body_is_never_out_of_scope(self, entity, ranking, intent):
        assert self.decide(ranking, [entity])["intent"]["name"] == intent

    @pytest.mark.parametrize(
        "entity",
        [
            {"entity": "onset", "value": "sport"},
            {"entity": "region", "value": "lumbar"},
            {"entity": "number", "value": 3},
        ],
        ids=lambda entity: entity["entity"],
    )
    def test_other_findings_do_not_speak_of_a_body(self, entity):
        assert self.decide({"out_of_scope": 0.9, "inform": 0.1}, [entity])["intent"]["name"] == "out_of_scope"

    @pytest.mark.parametrize(
        "ranking, entities, order",
        [
            ({"faq": 0.6, "out_of_scope": 0.35, "greet": 0.05}, [], ["out_of_scope", "faq", "greet"]),
            ({"out_of_scope": 0.5, "faq": 0.45, "greet": 0.05}, [PAIN], ["faq", "out_of_scope", "greet"]),
            ({"faq": 0.3, "greet": 0.3}, [], ["nlu_fallback", "faq", "greet"]),
            ({"faq": 0.9, "greet": 0.1}, [], ["faq", "greet"]),
        ],
    )
    def test_the_decision_stands_first_and_the_others_keep_their_order(self, ranking, entities, order):
        output = self.decide(ranking, entities)
        assert [entry["name"] for entry in output["intent_ranking"]] == order
        assert output["intent"] == output["intent_ranking"][0]
        assert {e["name"]: e["confidence"] for e in output["intent_ranking"] if e["name"] in ranking} == ranking

    def test_not_understood_is_as_sure_as_the_threshold(self):
        assert self.decide({"faq": 0.2, "greet": 0.1})["intent"] == {"name": "nlu_fallback", "confidence": 0.4}

    def test_a_ranking_of_one_is_decided_too(self):
        assert self.decide({"out_of_scope": 0.9}, [PAIN])["intent"]["name"] == "nlu_fallback"

    def test_a_message_without_a_ranking_is_left_as_it_is(self):
        tapped = Message({TEXT: "/greet", "intent": {"name": "greet", "confidence": 1.0}})
        (decided,) = load(ScopeDecision, **self.SETTINGS).process([tapped])
        assert decided.get("intent") == {"name": "greet", "confidence": 1.0}
        assert decided.get("intent_ranking") is None

    @pytest.mark.parametrize("name", ["out_of_scope_threshold", "threshold"])
    @pytest.mark.parametrize("value", [-0.01, 1.01, 43])
    def test_a_threshold_out_of_range_is_refused(self, name, value):
        with pytest.raises(ValueError, match="from 0 to 1"):
            load(ScopeDecision, **{name: value})

    @pytest.mark.parametrize("value", [0, 1])
    def test_the_ends_of_the_range_are_accepted(self, value):
        ScopeDecision.validate_config({"out_of_scope_threshold": value, "threshold": value})
