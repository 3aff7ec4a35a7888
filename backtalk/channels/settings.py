"""Checks what `credentials.yml` and the environment say about the web channel."""

from __future__ import annotations

import inspect
import os
import re
from typing import Any
from urllib.parse import urlsplit

from limits import RateLimitItem, parse_many
from limits.aio.storage import Storage
from limits.errors import ConfigurationError
from limits.storage import storage_from_string

from backtalk.channels import memory  # noqa: F401 registers the storage for memory://

ORIGINS_VARIABLE = "BACKTALK_ORIGINS"
_DEFAULT_PORTS = {"http": 80, "https": 443}


class SettingsError(ValueError):
    """A setting of a channel that cannot be used; the message names it and says what it should be."""


def positive(name: str, value: Any, whole: bool = False) -> float:
    """A number above 0, a whole one where asked for. Raises SettingsError."""
    good = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool) and value > 0
    if not good:
        raise _error(name, f"a {'whole ' if whole else ''}number above 0", value)
    return value


def rates(name: str, value: Any) -> list[RateLimitItem]:
    """The rate limits of a text such as "30/minute", or several as in "30/minute; 300/day". Raises SettingsError."""
    try:
        limits = parse_many(value)
    except ValueError:
        limits = []
    if not limits or not all(limit.amount > 0 for limit in limits):
        raise _error(name, 'a number for a time, such as "30/minute"', value)
    return limits


def storage(name: str, value: Any) -> Storage:
    """Where the `limits` library counts: memory://, or one that several servers share, such as redis://host:6379.

    Those need the package that the library names for asyncio, such as coredis. Raises SettingsError.
    """
    try:
        found = storage_from_string(value if value.startswith("async+") else f"async+{value}")
        if isinstance(found, Storage):
            return found
        reason: object = "it cannot be used with asyncio"
    except (ConfigurationError, AttributeError, ValueError) as error:
        reason = error
    raise _error(name, f"an address such as memory:// or redis://localhost:6379 ({reason})", value)


def origins(name: str, value: Any) -> frozenset[str]:
    """The origins, such as https://example.org, whose pages may call.

    BACKTALK_ORIGINS wins over `value`. Raises SettingsError.
    """
    set_outside = os.environ.get(ORIGINS_VARIABLE)
    if set_outside:
        name, value = ORIGINS_VARIABLE, [part for part in re.split(r"[\s,]+", set_outside) if part]
    if not isinstance(value, (list, tuple)):
        raise _error(name, "a list of origins, such as [https://example.org]", value)
    return frozenset(_origin(name, entry) for entry in value)


def split_origin(origin: str) -> tuple[str, str] | None:
    """Scheme and host with port of an origin, or None where it is no origin.

    Both are in lower case, and the scheme's own port is left out.
    """
    try:
        parts = urlsplit(origin)
        port = parts.port
    except ValueError:
        return None
    if (
        parts.scheme not in _DEFAULT_PORTS
        or not parts.hostname
        or origin.lower() != f"{parts.scheme}://{parts.netloc.lower()}"
    ):
        return None
    if "@" in parts.netloc or not re.fullmatch(r"[a-z0-9.:\[\]_-]+", parts.netloc.lower()):
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return parts.scheme, host if port in (None, _DEFAULT_PORTS[parts.scheme]) else f"{host}:{port}"


def _origin(name: str, value: Any) -> str:
    parts = split_origin(value.rstrip("/")) if isinstance(value, str) else None
    if parts is None:
        raise _error(name, "made of origins such as https://example.org, with no path and no *", value)
    return "://".join(parts)


def _error(name: str, wanted: str, value: Any) -> SettingsError:
    place = name if name == ORIGINS_VARIABLE else f"credentials.yml: {name}"
    return SettingsError(f"{place} must be {wanted}, not {value!r}.")


def known(channel: type, credentials: dict[str, Any] | None) -> dict[str, Any]:
    """The settings that credentials.yml gives a channel, all of which it has. Raises SettingsError."""
    names = list(inspect.signature(channel).parameters)
    for name in credentials or {}:
        if name not in names:
            raise SettingsError(
                f"credentials.yml: {channel.__name__} has no setting {name!r}, only {', '.join(names)}."
            )
    return dict(credentials or {})
