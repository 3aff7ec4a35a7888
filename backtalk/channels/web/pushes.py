"""The ways from the bot to a page: the replies to one message, and what the bot writes by itself."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rasa.core.channels.channel import OutputChannel

from backtalk.channels.messages import is_held_back, whole

# What nobody listens to is kept for so many messages of a conversation, and so many conversations.
_MOST_KEPT, _MOST_CONVERSATIONS = 20, 1000


class WebOutput(OutputChannel):
    """What the ways to a web page share."""

    @classmethod
    def name(cls) -> str:
        """The channel's name."""
        return "web"

    async def send_text_message(self, recipient_id: str, text: str, **kwargs: Any) -> None:
        """Takes a plain text."""
        await self.send_response(recipient_id, {"text": text})


class Conversations(WebOutput):
    """Brings what the bot writes by itself to those who listen to a conversation, and keeps it where nobody does."""

    def __init__(self) -> None:
        self._listening: dict[str, list[asyncio.Queue[dict[str, Any] | None]]] = defaultdict(list)
        self._kept: dict[str, deque[dict[str, Any]]] = {}

    async def send_response(self, recipient_id: str, message: dict[str, Any]) -> None:
        """Takes one message of the bot, whole."""
        parts = whole(message)
        if not parts:
            return
        for queue in self._listening.get(recipient_id, ()):
            await queue.put(parts)
        if recipient_id not in self._listening:
            self.keep(recipient_id, parts)

    @contextmanager
    def listening(self, conversation: str) -> Iterator[asyncio.Queue[dict[str, Any] | None]]:
        """The queue for what the bot writes by itself, with what it wrote while nobody listened; None is its end."""
        queue: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        for waiting in self._kept.pop(conversation, ()):
            queue.put_nowait(waiting)
        self._listening[conversation].append(queue)
        try:
            yield queue
        finally:
            self._listening[conversation].remove(queue)
            if not self._listening[conversation]:
                del self._listening[conversation]
            # Whoever listened is gone: what was not sent is kept for the next.
            while not queue.empty():
                if parts := queue.get_nowait():
                    self.keep(conversation, parts)

    def keep(self, conversation: str, parts: dict[str, Any]) -> None:
        """Keeps a message for whoever listens next."""
        self._kept.setdefault(conversation, deque(maxlen=_MOST_KEPT)).append(parts)
        while len(self._kept) > _MOST_CONVERSATIONS:
            del self._kept[next(iter(self._kept))]

    def end(self) -> None:
        """Ends all listening: every queue gives out None."""
        for queue in (queue for queues in self._listening.values() for queue in queues):
            queue.put_nowait(None)

    def forget(self, conversation: str) -> None:
        """Drops what is kept of a conversation."""
        self._kept.pop(conversation, None)


class Reply(WebOutput):
    """The replies to one message: `queue` gives them out, and None at their end.

    What comes later, such as a reminder that was set then, is written by the bot itself. What the reader did not take
    is kept for whoever listens next, unless the message can be asked about again.
    """

    def __init__(self, conversations: Conversations, can_be_asked_again: bool) -> None:
        self._conversations, self._can_be_asked_again = conversations, can_be_asked_again
        self._is_complete = self._is_left = False
        self.queue: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()

    async def send_response(self, recipient_id: str, message: dict[str, Any]) -> None:
        """Takes one message of the bot, whole."""
        if is_held_back(message):
            return
        if self._is_complete or (self._is_left and not self._can_be_asked_again):
            await self._conversations.send_response(recipient_id, message)
        elif not self._is_left and (parts := whole(message)):
            self.queue.put_nowait(parts)

    def complete(self) -> None:
        """The message was handled, and has no more replies."""
        self._is_complete = True
        self.queue.put_nowait(None)

    def leave(self, conversation: str, unsent: dict[str, Any] | None) -> None:
        """The reader is gone; `unsent` is what it was about to be sent."""
        self._is_left = True
        unread = [unsent]
        while not self.queue.empty():
            unread.append(self.queue.get_nowait())
        for parts in unread:
            if parts and not self._can_be_asked_again:
                self._conversations.keep(conversation, parts)
