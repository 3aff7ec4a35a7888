"""A conversation as its visitor saw it, from Rasa's events. Pure functions."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from rasa.shared.core.constants import IS_EXTERNAL, USER_INTENT_SESSION_START
from rasa.shared.core.events import BotUttered, Event, UserUttered

from backtalk.channels.messages import whole
from backtalk.wording import upper

Pair = tuple[str, str]
# Stands in what a page sends when options of a list were chosen.
_TICKED = '"only"'
_PAYLOAD = re.compile(r"/(?P<intent>[^\s{]+)(?P<entities>\{.*\})?", re.DOTALL)


class _Payload(NamedTuple):
    """What a button sends: an intent, and entities with their values in the order in which they stand there."""

    intent: str
    pairs: tuple[Pair, ...]

    @property
    def key(self) -> tuple[str, frozenset[Pair]]:
        """The same for payloads that mean the same."""
        return self.intent, frozenset(self.pairs)


def shown(events: Iterable[Event]) -> list[dict[str, Any]]:
    """The messages of a conversation, oldest first.

    Each has `from`, its parts, and `time` in seconds of the epoch.

    A tapped button is shown by its title. What no visitor wrote, such as a reminder, and what has no text is left out.
    """
    messages: list[dict[str, Any]] = []
    titles: dict[tuple[str, frozenset[Pair]], str] = {}
    options: dict[tuple[str, frozenset[Pair]], str] = {}
    for event in events:
        if isinstance(event, BotUttered):
            parts = whole(event.message())
            titles.update(_titles(parts.get("buttons", ())))
            options.update(_texts(parts.get("custom", {}).get("options", ())))
            if parts:
                messages.append({"from": "bot", **parts, "time": event.timestamp})
        elif isinstance(event, UserUttered) and _is_a_visitors(event):
            message_id = (event.metadata or {}).get("id")
            named = {"id": message_id} if message_id else {}
            words = as_words(event.text, {**titles, **options} if _TICKED in event.text else titles)
            messages.append({"from": "visitor", "text": words, **named, "time": event.timestamp})
    return messages


def replies_to(events: Iterable[Event], message_id: str) -> list[dict[str, Any]] | None:
    """What the bot answered to the latest message with this id, or None when there is no such message."""
    replies: list[dict[str, Any]] | None = None
    is_answer = False
    for event in events:
        if isinstance(event, UserUttered):
            is_answer = (event.metadata or {}).get("id") == message_id
            replies = [] if is_answer else replies
        elif isinstance(event, BotUttered) and replies is not None and is_answer and (parts := whole(event.message())):
            replies.append(parts)
    return replies


def as_words(text: str, titles: Mapping[tuple[str, frozenset[Pair]], str]) -> str:
    """A message as its visitor saw it: words as they are, a button's payload as the title of that button.

    A payload that no button has alone is shown by the titles of those whose entities it holds, else by its intent's
    name.
    """
    if not text.startswith("/"):
        return text
    payload = _read(text)
    if payload is None:
        return text.lstrip("/ ")
    if payload.key in titles:
        return titles[payload.key]
    held = frozenset(payload.pairs)
    parts = [
        (min(map(payload.pairs.index, pairs)), title)
        for (intent, pairs), title in titles.items()
        if intent == payload.intent and pairs and pairs <= held
    ]
    return ", ".join(dict.fromkeys(title for _, title in sorted(parts))) or upper(payload.intent.replace("_", " "))


def _titles(buttons: Iterable[Mapping[str, Any]]) -> dict[tuple[str, frozenset[Pair]], str]:
    read = ((_read(button.get("payload") or ""), button.get("title")) for button in buttons)
    return {payload.key: title for payload, title in read if payload and title}


def _texts(options: Iterable[Mapping[str, Any]]) -> dict[tuple[str, frozenset[Pair]], str]:
    """What a page shows for the options of a question, where any number can be chosen."""
    return {("inform", frozenset({(option["entity"], json.dumps(option["id"]))})): option["text"] for option in options}


def _read(text: str) -> _Payload | None:
    match = _PAYLOAD.fullmatch(text)
    if not match:
        return None
    try:
        entities = json.loads(match["entities"] or "{}")
    except (ValueError, RecursionError):
        return None
    values = (
        (name, value) for name, held in entities.items() for value in (held if isinstance(held, list) else [held])
    )
    return _Payload(match["intent"], tuple((name, json.dumps(value, sort_keys=True)) for name, value in values))


def _is_a_visitors(event: UserUttered) -> bool:
    is_external = (event.metadata or {}).get(IS_EXTERNAL)
    return bool(event.text) and not is_external and event.text != f"/{USER_INTENT_SESSION_START}"
