"""Rasa's conversations in SQLite or PostgreSQL, with a short memory.

Nothing here ends the process, blocks the event loop or falls back to a store that forgets: what cannot be read or
written raises StoreUnavailable, which a channel tells to the visitor.
"""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from rasa.core.brokers.broker import EventBroker
from rasa.core.tracker_store import SQLTrackerStore, TrackerStore, create_engine_kwargs, validate_port
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import Event, ReminderScheduled, SessionStarted
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.exceptions import RasaException

from backtalk.engine import migrations
from backtalk.engine.window import latest_part

logger = logging.getLogger(__name__)

# So many conversations are erased at once.
_AT_ONCE = 200
# So long a database that somebody else locked is waited for, in seconds.
_LOCKED_SECONDS = 5
# So many threads wait for the database beside the event loop.
_THREADS = 8
# Conversations and their files are for the owner of the process.
_PRIVATE = 0o600

_EVENTS = SQLTrackerStore.SQLEvent.__table__
_BY_SENDER = _EVENTS.c.sender_id == sa.bindparam("sender_id")
_LAST_ID = sa.select(sa.func.max(_EVENTS.c.id)).where(_BY_SENDER)
# By order and not by time: a clock may be set back.
_SESSION_START = (
    sa.select(sa.func.max(_EVENTS.c.id))
    .where(_BY_SENDER, _EVENTS.c.type_name == SessionStarted.type_name)
    .scalar_subquery()
)
_IS_LATEST_SESSION = sa.or_(_EVENTS.c.id >= _SESSION_START, _SESSION_START.is_(None))
_ALL_EVENTS = sa.select(_EVENTS.c.id, _EVENTS.c.data).where(_BY_SENDER).order_by(_EVENTS.c.id)
_LATEST_EVENTS = _ALL_EVENTS.where(_IS_LATEST_SESSION)
_COUNT_OF_LATEST = sa.select(sa.func.count()).select_from(_EVENTS).where(_BY_SENDER, _IS_LATEST_SESSION)

# What is noted on a tracker, as it can be compared and so goes into no set: how many of its events are stored, and that
# it stands in for a conversation which could not be read.
_STORED, _UNREAD = "_backtalk_stored", "_backtalk_unread"

T = TypeVar("T")

# Whether the conversation of the message that is being handled could not be read.
_unread: ContextVar[bool] = ContextVar("unread", default=False)


class StoreUnavailable(RasaException):
    """Conversations cannot be read or written now; why stands in the log."""


def is_unread() -> bool:
    """Whether the message that this task handles is answered without knowing what was said before.

    That is so when it could not be read.
    """
    return _unread.get()


@dataclass
class _Remembered:
    """A conversation as it was saved last, the id of its last event, and whether it is in use since."""

    tracker: DialogueStateTracker
    last_id: int | None
    in_use: bool = False


class RememberingTrackerStore(SQLTrackerStore):
    """Keeps the conversations that it saved last in memory too, and does not read them from the database again.

    The database stays the truth: a conversation is remembered by the id of its last event, and read anew when that is
    no longer the last one there, because another server went on with it. A conversation that is in use is not in
    memory, so that one whose message failed half-way is read anew as well.
    """

    def __init__(
        self,
        domain: Domain | None = None,
        dialect: str = "sqlite",
        host: str | None = None,
        port: int | None = None,
        db: str = "rasa.db",
        username: str | None = None,
        password: str | None = None,
        event_broker: EventBroker | None = None,
        login_db: str | None = None,
        query: dict[str, Any] | None = None,
        remembered: int = 500,
    ) -> None:
        """`remembered`: the number of conversations in memory; the other arguments are those of Rasa's store.

        A database that is away now is looked for again with each message.
        """
        TrackerStore.__init__(self, domain, event_broker)
        url = self.get_db_url(dialect, host, validate_port(port), db, username, password, None, query)
        self._login_db = login_db
        # What a visitor said stands in no error.
        options: dict[str, Any] = {"hide_parameters": True, **create_engine_kwargs(url)}
        if url.get_backend_name() == "sqlite":
            options["connect_args"] = {"timeout": _LOCKED_SECONDS}
        else:
            options["pool_pre_ping"] = True
        self.engine = sa.create_engine(url, **options)
        self._is_sqlite = self.engine.dialect.name == "sqlite"
        self._file = Path(url.database) if self._is_sqlite and url.database not in (None, "", ":memory:") else None
        self._prepared: object = None
        self._preparing, self._writing = threading.Lock(), threading.Lock()
        self._most = remembered
        self._remembered: OrderedDict[str, _Remembered] = OrderedDict()
        try:
            self._prepare()
        except Exception as error:
            _log(error, "The store of conversations cannot be opened; it is looked for again with each message")

    @cached_property
    def _threads(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(_THREADS, thread_name_prefix="tracker-store")

    @staticmethod
    def get_db_url(
        dialect: str = "sqlite",
        host: str | None = None,
        port: int | None = None,
        db: str = "rasa.db",
        username: str | None = None,
        password: str | None = None,
        login_db: str | None = None,
        query: dict[str, Any] | None = None,
    ) -> sa.URL:
        """The address of a database; `host` may be a whole one, such as postgresql://name@host/db."""
        if host and "://" in host:
            return sa.make_url(host)
        if host and ":" in host and not port:
            host, _, told = host.rpartition(":")
            port = validate_port(told)
        return sa.URL.create(dialect, username, password, host, port, login_db or db, query or {})

    # What Rasa asks of a store.

    async def retrieve(self, sender_id: str) -> DialogueStateTracker | None:
        """The latest session of a conversation. Raises StoreUnavailable."""
        known = self._remembered.get(sender_id)
        if known is None or known.in_use:
            return await self._read_latest(sender_id)
        last_id = await self._run(self._last_id, sender_id)
        # Looked at only now: where the database was made anew meanwhile, it holds nothing of what is remembered.
        if known.last_id == last_id:
            known.in_use = True
            return known.tracker
        self._remembered.pop(sender_id, None)
        return await self._read_latest(sender_id)

    async def retrieve_full_tracker(self, conversation_id: str) -> DialogueStateTracker | None:
        """All sessions of a conversation. Raises StoreUnavailable."""
        return await self._read(conversation_id, _ALL_EVENTS)

    async def get_or_create_tracker(
        self, sender_id: str, max_event_history: int | None = None, append_action_listen: bool = True
    ) -> DialogueStateTracker:
        """The latest session of a conversation, or a new one.

        Where the store cannot be read, a new one that `save` refuses: so a message that tells of an emergency is
        answered in any case.
        """
        _unread.set(False)
        try:
            return await super().get_or_create_tracker(sender_id, max_event_history, append_action_listen)
        except StoreUnavailable:
            _unread.set(True)
            tracker = self.init_tracker(sender_id)
            setattr(tracker, _UNREAD, True)
            return tracker

    async def save(self, tracker: DialogueStateTracker) -> None:
        """Writes the events that are new, tells the event broker about them, and remembers the conversation.

        Raises StoreUnavailable.
        """
        if not tracker.events:
            return
        sender = tracker.sender_id
        self._remembered.pop(sender, None)
        if getattr(tracker, _UNREAD, False):
            raise StoreUnavailable("The conversation could not be read, so nothing is added to it.")
        stored = getattr(tracker, _STORED, None)
        if stored is None:
            stored = await self._run(self._count_of_latest, sender)
        new = list(islice(tracker.events, stored, None))
        last_id = await self._run(self._insert, sender, [_row(sender, event) for event in new])
        setattr(tracker, _STORED, len(tracker.events))
        for event in new if self.event_broker else ():
            self.event_broker.publish({"sender_id": sender, **event.as_dict()})
        # The database gives out the latest session only, so one with an earlier session before it is read anew.
        several_sessions = any(isinstance(event, SessionStarted) for event in islice(tracker.events, 2, None))
        if not several_sessions:
            self._remembered[sender] = _Remembered(self._latest_part(tracker), last_id)
            while len(self._remembered) > self._most:
                self._remembered.popitem(last=False)

    async def keys(self) -> Iterable[str]:
        """The ids of all conversations. Raises StoreUnavailable."""
        return await self._run(self._senders, sa.select(_EVENTS.c.sender_id).distinct())

    # What this bot asks of it besides.

    async def can_be_written(self) -> bool:
        """Whether a conversation could be saved now."""
        try:
            await self._run(self._write_nothing)
        except StoreUnavailable:
            return False
        return True

    async def senders_with_reminders(self, since: float) -> list[str]:
        """The conversations in which a reminder was set since a moment, in seconds of the epoch.

        Raises StoreUnavailable.
        """
        is_reminder = _EVENTS.c.type_name == ReminderScheduled.type_name
        query = sa.select(_EVENTS.c.sender_id).where(is_reminder, _EVENTS.c.timestamp > since).distinct()
        return await self._run(self._senders, query)

    async def erase(self, sender_id: str) -> None:
        """Erases every event of a conversation. Raises StoreUnavailable.

        Hold its lock, as a message that is being handled would be written after it.
        """
        self._remembered.pop(sender_id, None)
        await self._run(self._delete, _EVENTS.c.sender_id == sender_id)

    async def erase_before(self, timestamp: float) -> int:
        """Erases the conversations whose latest event is older than a moment, and returns how many.

        The moment is in seconds of the epoch. Raises StoreUnavailable.
        """
        sender, time = _EVENTS.c.sender_id, _EVENTS.c.timestamp
        senders = await self._run(
            self._senders, sa.select(sender).group_by(sender).having(sa.func.max(time) < timestamp)
        )
        newer = _EVENTS.alias()
        # One that went on meanwhile stays.
        is_over = ~sa.exists().where(newer.c.sender_id == sender, newer.c.timestamp >= timestamp)
        count = 0
        for start in range(0, len(senders), _AT_ONCE):
            part = senders[start : start + _AT_ONCE]
            await self._run(self._delete, sender.in_(part), is_over)
            left = set(await self._run(self._senders, sa.select(sender).where(sender.in_(part)).distinct()))
            for gone in set(part) - left:
                self._remembered.pop(gone, None)
            count += len(part) - len(left)
        return count

    async def _read_latest(self, sender_id: str) -> DialogueStateTracker | None:
        tracker = await self._read(sender_id, _LATEST_EVENTS)
        return self._latest_part(tracker) if tracker else None

    async def _read(self, sender_id: str, query: sa.Select[Any]) -> DialogueStateTracker | None:
        events = await self._run(self._events, sender_id, query)
        if not events:
            return None
        tracker = DialogueStateTracker.from_events(sender_id, events, self.domain.slots)
        setattr(tracker, _STORED, len(tracker.events))
        return tracker

    def _latest_part(self, tracker: DialogueStateTracker) -> DialogueStateTracker:
        """What of a tracker whose events are all stored is worked with."""
        part = latest_part(tracker, self.domain)
        setattr(part, _STORED, len(part.events))
        return part

    async def _run(self, work: Callable[..., T], *arguments: Any) -> T:
        """Does a piece of work on the database in a thread. Raises StoreUnavailable, whatever went wrong there."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._attempt, work, arguments)
        except Exception as error:
            _log(error, "Conversations cannot be read or written")
            raise StoreUnavailable("Conversations cannot be read or written now.") from None

    # What runs in threads.

    def _attempt(self, work: Callable[..., T], arguments: Sequence[Any]) -> T:
        self._prepare()
        try:
            return work(*arguments)
        except sa.exc.DatabaseError as error:
            if not _is_table_missing(error):
                raise
        # Somebody took the table away: it is made anew.
        self._prepared = None
        self._prepare()
        return work(*arguments)

    def _prepare(self) -> None:
        """Makes the database what this version needs, once, and again when its file is another one."""
        if self._prepared is not None and self._prepared == self._identity():
            return
        with self._preparing:
            if self._prepared is not None:
                if self._prepared == self._identity():
                    return
                logger.error("The file of conversations is gone: it is made anew, with those that are still in memory.")
            self.engine.dispose()
            if self._file:
                self._file.parent.mkdir(parents=True, exist_ok=True)
                self._file.touch(_PRIVATE)
                self._file.chmod(_PRIVATE)
            elif self._login_db:
                self._make_database(self._login_db)
            migrations.bring_up_to_date(self.engine)
            with self.engine.connect() as connection:
                is_empty = connection.execute(sa.select(_EVENTS.c.id).limit(1)).first() is None
            if is_empty:
                for known in list(self._remembered.values()):
                    setattr(known.tracker, _STORED, 0)
                    known.last_id = None
            self._prepared = self._identity()

    def _identity(self) -> object:
        """Tells one file of conversations from another; None where there is none."""
        if self._file is None:
            return True
        try:
            status = self._file.stat()
        except OSError:
            return None
        return status.st_dev, status.st_ino

    def _make_database(self, login_db: str) -> None:
        name = self.engine.url.database
        login = sa.create_engine(self.engine.url.set(database=login_db), isolation_level="AUTOCOMMIT")
        try:
            with login.connect() as connection:
                found = connection.execute(
                    sa.text("SELECT 1 FROM pg_catalog.pg_database WHERE datname = :name"), {"name": name}
                ).first()
                if found is None:
                    quoted = login.dialect.identifier_preparer.quote_identifier(name or "")
                    connection.exec_driver_sql(f"CREATE DATABASE {quoted}")
        finally:
            login.dispose()

    def _events(self, sender_id: str, query: sa.Select[Any]) -> list[Event]:
        with self.engine.connect() as connection:
            rows = connection.execute(query, {"sender_id": sender_id}).all()
        return [event for row in rows if (event := _event(row.id, row.data)) is not None]

    def _last_id(self, sender_id: str) -> int | None:
        with self.engine.connect() as connection:
            return connection.execute(_LAST_ID, {"sender_id": sender_id}).scalar()

    def _count_of_latest(self, sender_id: str) -> int:
        with self.engine.connect() as connection:
            return connection.execute(_COUNT_OF_LATEST, {"sender_id": sender_id}).scalar() or 0

    def _senders(self, query: sa.Select[Any]) -> list[str]:
        with self.engine.connect() as connection:
            return [row[0] for row in connection.execute(query)]

    def _insert(self, sender_id: str, rows: Sequence[dict[str, Any]]) -> int | None:
        """Writes rows; returns the id of the conversation's last one."""
        if not rows:
            return self._last_id(sender_id)
        with self._write() as connection:
            connection.execute(_EVENTS.insert(), rows)
            return connection.execute(_LAST_ID, {"sender_id": sender_id}).scalar()

    def _delete(self, *conditions: sa.ColumnElement[bool]) -> None:
        with self._write() as connection:
            if self._is_sqlite:
                # Otherwise SQLite only marks the space as free, and the words stay in the file.
                connection.exec_driver_sql("PRAGMA secure_delete = ON")
            connection.execute(_EVENTS.delete().where(*conditions))

    def _write_nothing(self) -> None:
        """Writes a row that no conversation has, and takes it away again."""
        row = {"sender_id": "", "type_name": "health", "data": "{}"}
        with self._write() as connection:
            connection.execute(_EVENTS.insert(), [row])
            connection.execute(_EVENTS.delete().where(_EVENTS.c.sender_id == "", _EVENTS.c.type_name == "health"))

    def _write(self) -> Any:
        """A transaction.

        SQLite has one writer at a time: threads of this process wait for each other rather than for its lock.
        """
        return _Writing(self.engine, self._writing) if self._is_sqlite else self.engine.begin()


class _Writing:
    """A transaction within a lock."""

    def __init__(self, engine: sa.Engine, lock: threading.Lock) -> None:
        self._begin, self._lock = engine.begin(), lock

    def __enter__(self) -> sa.Connection:
        self._lock.acquire()
        try:
            return self._begin.__enter__()
        except BaseException:
            self._lock.release()
            raise

    def __exit__(self, *error: Any) -> None:
        try:
            self._begin.__exit__(*error)
        finally:
            self._lock.release()


def _row(sender_id: str, event: Event) -> dict[str, Any]:
    """An event as a row of Rasa's table."""
    data = event.as_dict()
    return {
        "sender_id": sender_id,
        "type_name": event.type_name,
        "timestamp": data.get("timestamp"),
        "intent_name": data.get("parse_data", {}).get("intent", {}).get("name"),
        "action_name": data.get("name"),
        "data": json.dumps(data),
    }


def _event(number: int, data: str) -> Event | None:
    """The event of a row, or None where the row cannot be read: one such row must not take a conversation away."""
    try:
        return Event.from_parameters(json.loads(data))
    except Exception as error:
        logger.error("Row %d of the conversations cannot be read and is left out (%s).", number, type(error).__name__)
        return None


def _is_table_missing(error: sa.exc.DatabaseError) -> bool:
    """Whether an error says so, in PostgreSQL's code or SQLite's words."""
    return getattr(error.orig, "sqlstate", None) == "42P01" or "no such table" in str(error.orig)


def _log(error: BaseException, what: str) -> None:
    """Logs a failure of the database, without what visitors said.

    Only PostgreSQL's code and SQLite's words are logged, which hold none of it.
    """
    cause = getattr(error, "orig", None) or error
    told = getattr(cause, "sqlstate", None) or (str(cause) if type(cause).__module__ in ("sqlite3", "builtins") else "")
    logger.error(
        "%s: %s%s", what, type(cause).__name__, f" ({told})" if told and not isinstance(cause, ValueError) else ""
    )
