"""Names that Rasa 3.6 imports from libraries whose newer versions no longer have them.

Each is given back here with what Rasa needs of it, so that the libraries themselves can be current.
"""

from __future__ import annotations

import sys
from importlib.metadata import Distribution, distribution
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import jwt.algorithms
import numpy
import packaging.version
from numpy.exceptions import VisibleDeprecationWarning

from backtalk.engine.placeholders import NotInstalled


def build_bridges() -> None:
    """Puts the names where Rasa looks for them, for this process."""
    # NumPy 2 has it in another place.
    numpy.VisibleDeprecationWarning = VisibleDeprecationWarning  # type: ignore[attr-defined]
    # packaging 22 refuses what was read as a legacy version before.
    packaging.version.LegacyVersion = _LegacyVersion  # type: ignore[attr-defined]
    # PyJWT has it only where cryptography is installed.
    # Rasa's connector for Microsoft's Bot Framework checks senders with it.
    if not hasattr(jwt.algorithms, "RSAAlgorithm"):
        setattr(jwt.algorithms, "RSAAlgorithm", _NoRSA)  # noqa: B010 - to mypy, it is there
    # setuptools 82 has no pkg_resources.
    sys.modules.setdefault("pkg_resources", _pkg_resources())
    # Rasa logs through this processor, which would send errors to its makers' Sentry.
    sys.modules.setdefault("structlog_sentry", _structlog_sentry())


class _LegacyVersion:
    """A version that is none of PEP 440. packaging gives out none any more."""


class _NoRSA:
    """Stands where the connector for the Bot Framework looks for RSA."""

    def __init__(self, *_: Any) -> None:
        raise NotInstalled("RSA was used, for which cryptography would have to be installed.")


def _pkg_resources() -> ModuleType:
    module = ModuleType("pkg_resources")
    module.resource_filename = _resource_filename  # type: ignore[attr-defined]
    module.get_distribution = _get_distribution  # type: ignore[attr-defined]
    # Others ask for this where they find the module; Python itself does what it did.
    module.fixup_namespace_packages = _nothing  # type: ignore[attr-defined]
    return module


def _resource_filename(package: str, name: str) -> str:
    """The path of a file in the folder of a package or module."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"No module named {package!r}")
    return str(Path(spec.origin).parent / name)


def _get_distribution(name: str) -> Distribution:
    """What is known of an installed distribution, its `version` among it."""
    return distribution(name)


def _nothing(*_: Any) -> None:
    """Does what is asked for by doing nothing."""


def _structlog_sentry() -> ModuleType:
    module = ModuleType("structlog_sentry")
    module.SentryProcessor = _NoSentry  # type: ignore[attr-defined]
    return module


class _NoSentry:
    """Hands an event of the log on as it is."""

    def __init__(self, **_: Any) -> None:
        """Takes the settings of the real one."""

    def __call__(self, logger: Any, name: str, event_dict: dict[str, Any]) -> dict[str, Any]:
        return event_dict
