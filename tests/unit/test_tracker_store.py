"""The tracker store with a memory, on SQLite and, where it runs, on PostgreSQL."""

import asyncio
import time
import uuid
from datetime import datetime, timezone
from types import SimpleNamespace

import psycopg
import pytest
import sqlalchemy as sa
from rasa.core import jobs
from rasa.core.tracker_store import InMemoryTrackerStore
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, ActiveLoop, SessionStarted, SlotSet, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

from backtalk.engine import retention
from backtalk.engine.tracker_store import RememberingTrackerStore, StoreUnavailable, is_unread
from backtalk.engine.window import KEPT, LONG, latest_part

DOMAIN = Domain.from_yaml("""
version: "3.1"
intents: [greet]
slots: {said: {type: any, mappings: [{type: custom}]}}
""")
POSTGRES = ("127.0.0.1", 5432)


def postgres_is_there():
    try:
        psycopg.connect(
            host=POSTGRES[0], port=POSTGRES[1], user="postgres", dbname="postgres", connect_timeout=2
        ).close()
    except psycopg.OperationalError:
        return False
    return True


@pytest.fixture(params=["sqlite", "postgresql"])
def make_store(request, tmp_path):
    """Makes stores on one and the same database."""
    stores = []
    if request.param == "sqlite":
        where = {"dialect": "sqlite", "db": str(tmp_path / "conversations.db")}
    elif not postgres_is_there():
        pytest.skip("no PostgreSQL on 127.0.0.1:5432 lets the user postgres in")
    else:
        where = {
            "dialect": "postgresql",
            "host": POSTGRES[0],
            "port": POSTGRES[1],
            "username": "postgres",
            "db": f"backtalk_test_{uuid.uuid4().hex}",
            "login_db": "postgres",
        }

    def make(**settings):
        stores.append(RememberingTrackerStore(domain=DOMAIN, **where, **settings))
        return stores[-1]

    yield make
    for store in stores:
        store.engine.dispose()
    if request.param == "postgresql" and stores:
        with psycopg.connect(
            host=POSTGRES[0], port=POSTGRES[1], user="postgres", dbname="postgres", autocommit=True
        ) as connection:
            connection.execute(f"DROP DATABASE {where['db']}")


def begin(sender="visitor"):
    tracker = DialogueStateTracker(sender, DOMAIN.slots)
    tracker.update_with_events(
        [ActionExecuted("action_session_start"), SessionStarted(), ActionExecuted("action_listen")], DOMAIN
    )
    return tracker


def say(tracker, text):
    tracker.update_with_events(
        [UserUttered(text, {"name": "greet"}), SlotSet("said", text), ActionExecuted("action_listen")], DOMAIN
    )


def save(store, tracker):
    asyncio.run(store.save(tracker))


def retrieve(store, sender="visitor"):
    return asyncio.run(store.retrieve(sender))


def texts(tracker):
    return [event.text for event in tracker.events if isinstance(event, UserUttered)]


def test_goes_on_with_the_conversation_that_it_saved(make_store):
    store, tracker = make_store(), begin()
    save(store, tracker)
    for text in ("one", "two", "three"):
        tracker = retrieve(store)
        say(tracker, text)
        save(store, tracker)
    assert retrieve(store) is tracker
    assert texts(retrieve(make_store())) == ["one", "two", "three"]


def test_writes_each_event_once_and_in_order(make_store):
    store, tracker = make_store(), begin()
    save(store, tracker)
    say(retrieve(store), "one")
    save(store, tracker)
    save(store, tracker)
    stored = asyncio.run(make_store().retrieve_full_tracker("visitor"))
    assert list(stored.events) == list(tracker.events)


def test_reads_anew_what_another_server_went_on_with(make_store):
    ours, theirs, tracker = make_store(), make_store(), begin()
    save(ours, tracker)
    elsewhere = retrieve(theirs)
    say(elsewhere, "to the other server")
    save(theirs, elsewhere)
    assert texts(retrieve(ours)) == ["to the other server"]


def test_forgets_what_was_not_saved(make_store):
    store, tracker = make_store(), begin()
    save(store, tracker)
    say(retrieve(store), "and then it failed")
    assert texts(retrieve(store)) == []


def test_gives_out_the_latest_session_only(make_store):
    store, tracker = make_store(), begin()
    say(tracker, "yesterday")
    tracker.update_with_events([ActionExecuted("action_session_start"), SessionStarted()], DOMAIN)
    say(tracker, "today")
    save(store, tracker)
    assert texts(retrieve(store)) == ["today"]


def test_keeps_conversations_apart(make_store):
    store = make_store()
    for sender in ("one", "two"):
        tracker = begin(sender)
        say(tracker, f"from {sender}")
        save(store, tracker)
    assert texts(retrieve(store, "one")) == ["from one"]
    assert texts(retrieve(store, "two")) == ["from two"]
    assert retrieve(store, "three") is None


def test_remembers_so_many_and_no_more(make_store):
    store, trackers = make_store(remembered=2), {sender: begin(sender) for sender in ("first", "second", "third")}
    for tracker in trackers.values():
        save(store, tracker)
    assert retrieve(store, "third") is trackers["third"]
    assert retrieve(store, "first") is not trackers["first"]
    assert retrieve(store, "first").sender_id == "first"


def keys(store):
    return set(asyncio.run(store.keys()))


def at(timestamp, sender, store):
    """A conversation whose events are of a moment."""
    tracker = begin(sender)
    say(tracker, f"from {sender}")
    for event in tracker.events:
        event.timestamp = timestamp
    save(store, tracker)
    return tracker


def test_erases_a_conversation_and_no_other(make_store):
    store = make_store()
    for sender in ("one", "two"):
        at(time.time(), sender, store)
    asyncio.run(store.erase("one"))
    assert keys(store) == keys(make_store()) == {"two"}
    assert retrieve(store, "one") is None and texts(retrieve(store, "two")) == ["from two"]


def test_begins_anew_after_erasing(make_store):
    store = make_store()
    at(time.time(), "one", store)
    asyncio.run(store.erase("one"))
    tracker = begin("one")
    say(tracker, "again")
    save(store, tracker)
    assert texts(retrieve(make_store(), "one")) == ["again"]


def test_erases_what_is_older_than_a_moment(make_store):
    store, now = make_store(), time.time()
    for sender, timestamp in {"old": now - 100, "older": now - 200, "new": now}.items():
        at(timestamp, sender, store)
    assert asyncio.run(store.erase_before(now - 50)) == 2
    assert keys(store) == {"new"} and retrieve(store, "old") is None
    assert asyncio.run(store.erase_before(now - 50)) == 0


def test_keeps_all_of_a_conversation_that_went_on(make_store):
    store, now = make_store(), time.time()
    tracker = at(now - 100, "visitor", store)
    say(tracker, "still here")
    save(store, tracker)
    assert asyncio.run(store.erase_before(now - 50)) == 0
    assert texts(retrieve(make_store())) == ["from visitor", "still here"]


def test_erases_more_than_go_into_one_query(make_store):
    store, now = make_store(), time.time()
    for number in range(450):
        at(now - 100, f"visitor {number}", store)
    assert asyncio.run(store.erase_before(now - 50)) == 450
    assert keys(store) == set()


class TestRetention:
    DAY = 86400

    def test_erases_after_so_many_days(self, make_store, caplog):
        caplog.set_level("INFO")
        store, now = make_store(), time.time()
        at(now - 4 * self.DAY, "old", store)
        at(now - 2 * self.DAY, "new", store)
        agent = SimpleNamespace(tracker_store=store)
        assert [asyncio.run(retention.erase_older_than(agent, 3)) for _ in range(2)] == [1, 0]
        assert keys(store) == {"new"}
        assert [record.message for record in caplog.records if "erased" in record.message] == [
            "Conversations erased, as they are older than 3 days: 1."
        ]

    def test_says_so_where_the_store_cannot(self, caplog):
        agent = SimpleNamespace(tracker_store=InMemoryTrackerStore(DOMAIN))
        assert asyncio.run(retention.erase_older_than(agent, 3)) == 0
        assert "InMemoryTrackerStore" in caplog.text

    def test_is_done_at_the_start_and_goes_on_after_a_failure(self, monkeypatch, knowledge):
        rounds, done = [], asyncio.Event()

        async def erase_older_than(agent, days):
            rounds.append((agent, days))
            if len(rounds) == 1:
                raise RuntimeError("the database is away")
            done.set()

        async def serve():
            await retention.erase_old_conversations(SimpleNamespace(ctx=SimpleNamespace(agent="agent")))
            (job,) = (await jobs.scheduler()).get_jobs()
            while len(rounds) < 1:
                await asyncio.sleep(0.01)
            assert job.trigger.interval.total_seconds() == 6 * 3600
            job.modify(next_run_time=datetime.now(timezone.utc))
            await asyncio.wait_for(done.wait(), 10)
            jobs.kill_scheduler()

        monkeypatch.setattr(retention, "erase_older_than", erase_older_than)
        asyncio.run(serve())
        assert rounds == [("agent", knowledge.privacy.keep_days)] * 2


def full(store, sender="visitor"):
    return asyncio.run(store.retrieve_full_tracker(sender))


def test_a_clock_that_was_set_back_drops_nothing(make_store):
    store, tracker, now = make_store(), begin(), time.time()
    for event in tracker.events:
        event.timestamp = now
    save(store, tracker)
    for number, text in enumerate(("before", "after"), 1):
        say(tracker, text)
        for event in list(tracker.events)[-3:]:
            event.timestamp = now - 3600 * number
        save(store, tracker)
    assert texts(retrieve(make_store())) == ["before", "after"]


class TestLongConversations:
    TURNS = 400

    @pytest.fixture
    def long(self, make_store):
        """A store with a conversation of many turns, saved turn by turn."""
        store, tracker = make_store(), begin()
        save(store, tracker)
        for number in range(self.TURNS):
            tracker = retrieve(store)
            say(tracker, f"message {number}")
            save(store, tracker)
        return store

    def test_are_kept_whole_and_each_event_once(self, long, make_store):
        assert texts(full(make_store())) == [f"message {number}" for number in range(self.TURNS)]

    def test_are_worked_with_in_their_latest_part_with_all_that_is_known(self, long, make_store):
        for store in (long, make_store()):
            part = retrieve(store)
            assert KEPT <= len(part.events) <= LONG
            assert texts(part) == texts(full(store))[-len(texts(part)) :]
            assert {name: slot.value for name, slot in part.slots.items()} == {
                name: slot.value for name, slot in full(store).slots.items()
            }

    def test_go_on(self, long, make_store):
        for store in (long, make_store()):
            tracker = retrieve(store)
            say(tracker, "and one more")
            save(store, tracker)
        assert texts(full(make_store()))[-3:] == [f"message {self.TURNS - 1}", "and one more", "and one more"]

    def test_keep_the_form_that_is_open(self):
        tracker = begin()
        tracker.update_with_events([ActiveLoop("spasm_assessment"), SlotSet("said", "early")], DOMAIN)
        for number in range(self.TURNS):
            tracker.update_with_events([UserUttered(f"message {number}"), ActionExecuted("action_listen")], DOMAIN)
        part = latest_part(tracker, DOMAIN)
        assert len(part.events) < len(tracker.events)
        assert (part.active_loop_name, part.get_slot("said")) == ("spasm_assessment", "early")
        assert part.latest_message.text == tracker.latest_message.text


class TestAway:
    """What cannot be kept is refused and logged, without a word of the visitor, and nothing ends."""

    @pytest.fixture
    def store(self, tmp_path):
        store, tracker = RememberingTrackerStore(domain=DOMAIN, db=str(tmp_path / "conversations.db")), begin()
        say(tracker, "one")
        save(store, tracker)
        yield store
        store.engine.dispose()

    @pytest.mark.parametrize(
        ("pragma", "told"), [("query_only = ON", "readonly"), ("max_page_count = 1", "full")], ids=["read-only", "full"]
    )
    def test_a_disk_that_takes_nothing(self, store, caplog, pragma, told):
        # Rows of some size, so that they need a page of their own.
        store.engine.dispose()
        sa.event.listen(store.engine, "connect", lambda connection, _: connection.execute(f"PRAGMA {pragma}"))
        tracker = retrieve(store)
        say(tracker, "quokka" * 5000)
        with pytest.raises(StoreUnavailable):
            save(store, tracker)
        assert told in caplog.text and "quokka" not in caplog.text
        assert texts(retrieve(store)) == ["one"]

    def test_a_file_that_is_no_database(self, tmp_path, caplog):
        path = tmp_path / "conversations.db"
        path.write_text("no database " * 1000)
        store = RememberingTrackerStore(domain=DOMAIN, db=str(path))
        tracker = asyncio.run(store.get_or_create_tracker("visitor"))
        assert is_unread_after(store)
        say(tracker, "quokka")
        with pytest.raises(StoreUnavailable):
            save(store, tracker)
        assert path.read_text().startswith("no database") and "quokka" not in caplog.text
        store.engine.dispose()

    def test_an_id_that_the_database_does_not_take(self, make_store):
        store = make_store()
        tracker = begin("a\0b")
        say(tracker, "one")
        try:
            save(store, tracker)
        except StoreUnavailable:
            assert store.engine.dialect.name == "postgresql"
        say(other := begin("fine"), "two")
        save(store, other)
        assert texts(retrieve(store, "fine")) == ["two"]


def is_unread_after(store):
    """Whether a task that asks for a conversation is told that it could not be read."""

    async def ask():
        await store.get_or_create_tracker("visitor")
        return is_unread()

    return asyncio.run(ask())
