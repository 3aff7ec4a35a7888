"""Lets Rasa be imported without TensorFlow, which takes most of its start and a third of its memory.

Rasa imports TensorFlow for its base classes and annotations even when no component of the model uses it. Here the import
finds placeholders instead. They may be named, subclassed and annotated with, and raise an error as soon as one is used.
"""

from __future__ import annotations

import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, Optional, Sequence, Text

REPLACED = ("tensorflow", "tensorflow_addons", "keras")


class TensorFlowNeeded(RuntimeError):
    """Something tried to use TensorFlow where it is not loaded."""


class _PlaceholderType(type):
    """The type of placeholders: each attribute is a placeholder again."""

    def __getattr__(cls, name: Text) -> Any:
        return _placeholder(name)

    def __call__(cls, *arguments: Any, **options: Any) -> Any:
        if cls.__module__ == __name__:
            raise TensorFlowNeeded(
                f"{cls.__name__} of TensorFlow is needed, which this process does not load. A model with DIETClassifier, "
                "TEDPolicy, UnexpecTEDIntentPolicy or ResponseSelector is trained and served with plain `rasa` commands."
            )
        return super().__call__(*arguments, **options)


class _PlaceholderModule(ModuleType):
    """A module in which every name is a placeholder."""

    def __getattr__(self, name: Text) -> Any:
        return _placeholder(name)


class _PlaceholderFinder(MetaPathFinder, Loader):
    """Finds a placeholder for each module of the replaced packages."""

    def find_spec(
        self, fullname: Text, path: Optional[Sequence[Text]] = None, target: Optional[ModuleType] = None
    ) -> Optional[ModuleSpec]:
        return ModuleSpec(fullname, self, is_package=True) if fullname.split(".")[0] in REPLACED else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _PlaceholderModule(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """A placeholder has nothing to run."""


def leave_out_tensorflow() -> None:
    """Makes all later imports of TensorFlow in this process find placeholders."""
    if not any(isinstance(finder, _PlaceholderFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _PlaceholderFinder())


def _placeholder(name: Text) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    return _PlaceholderType(name, (), {"__module__": __name__})
