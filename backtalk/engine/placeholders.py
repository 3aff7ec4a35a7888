"""Lets Rasa be imported without libraries that this bot does not use.

Rasa imports TensorFlow for its base classes and annotations, and a library for every connector and every store it
knows of, whether or not they are used. None of them is installed here: their imports find placeholders instead, which
may be named, subclassed and annotated with, and raise an error as soon as one is used. `PLACEHOLDERS` says what each
was for.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

_TENSORFLOW = (
    "trains and runs DIETClassifier, ResponseSelector, TEDPolicy and UnexpecTEDIntentPolicy with it, "
    "which were measured to be worse here"
)
_CONNECTOR = "Rasa's connector for {}, which accepts forged messages: `backtalk/channels/` has its own channels"
_STORE = "keeps {}, where this bot uses SQLite or PostgreSQL"

# Each top-level module that is not installed, and what Rasa has it for.
PLACEHOLDERS = {
    "tensorflow": _TENSORFLOW,
    "tensorflow_addons": _TENSORFLOW,
    "tensorflow_hub": _TENSORFLOW,
    "tensorflow_text": _TENSORFLOW,
    "keras": _TENSORFLOW,
    "transformers": "runs LanguageModelFeaturizer, where this bot has an encoder of its own",
    "sklearn_crfsuite": "trains CRFEntityExtractor, where this bot finds entities by phrases",
    "skops": "stores scikit-learn's models, where this bot stores plain arrays",
    "dask": "schedules the graph of components, which backtalk/engine/shortcuts.py runs in order instead",
    "networkx": "draws stories for `rasa visualize`",
    "matplotlib": "draws histograms for `rasa test`, and costs half a second of every start",
    "aiogram": _CONNECTOR.format("Telegram"),
    "fbmessenger": _CONNECTOR.format("Messenger"),
    "slack_sdk": _CONNECTOR.format("Slack"),
    "twilio": _CONNECTOR.format("Twilio"),
    "mattermostwrapper": _CONNECTOR.format("Mattermost"),
    "rocketchat_API": _CONNECTOR.format("Rocket.Chat"),
    "webexteamssdk": _CONNECTOR.format("Webex"),
    "cachecontrol": _CONNECTOR.format("Google Chat"),
    "google.auth": _CONNECTOR.format("Google Chat"),
    "google.oauth2": _CONNECTOR.format("Google Chat"),
    "google.cloud": _STORE.format("models in Google's cloud"),
    "socketio": _CONNECTOR.format("Socket.IO"),
    "pymongo": _STORE.format("conversations in MongoDB"),
    "boto3": _STORE.format("conversations in DynamoDB and models in S3"),
    "botocore": _STORE.format("conversations in DynamoDB and models in S3"),
    "confluent_kafka": "sends events to Kafka, where this bot can send them to RabbitMQ",
    "sanic_cors": "lets pages elsewhere call the server: backtalk/engine/http.py decides that",
    "sanic_jwt": "signs callers of Rasa's HTTP API in, which here answers this machine only",
}

# Named in `except` clauses, so they have to be exceptions.
_EXCEPTIONS = ("Error", "Exception", "Failure")


class NotInstalled(RuntimeError):
    """Something tried to use a library that this bot does without."""


class _PlaceholderType(type):
    """The type of placeholders: each attribute is a placeholder again."""

    def __getattr__(cls, name: str) -> Any:
        return _placeholder(cls.__module__, name)

    def __call__(cls, *arguments: Any, **options: Any) -> Any:
        package = _library(cls.__module__)
        if package and cls.__dict__.get("__placeholder__"):
            raise NotInstalled(
                f"{cls.__name__} of {package} was used, which is not installed: Rasa {PLACEHOLDERS[package]}."
            )
        return super().__call__(*arguments, **options)


class _PlaceholderModule(ModuleType):
    """A module in which every name is a placeholder."""

    def __getattr__(self, name: str) -> Any:
        return _placeholder(self.__name__, name)


class _PlaceholderFinder(MetaPathFinder, Loader):
    """Finds a placeholder for each module of the libraries."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return ModuleSpec(fullname, self, is_package=True) if _library(fullname) else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _PlaceholderModule(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """A placeholder has nothing to run."""


def put_placeholders() -> None:
    """Makes all later imports of the libraries in this process find placeholders."""
    if not any(isinstance(finder, _PlaceholderFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _PlaceholderFinder())


def _library(module: str) -> str | None:
    """The entry of the table that a module belongs to."""
    parts = module.split(".")
    return next((name for end in (1, 2) if (name := ".".join(parts[:end])) in PLACEHOLDERS), None)


def _placeholder(module: str, name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    bases = (Exception,) if name.endswith(_EXCEPTIONS) else ()
    return _PlaceholderType(name, bases, {"__module__": module, "__placeholder__": True})
