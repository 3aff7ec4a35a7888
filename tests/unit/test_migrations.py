"""A database of conversations that Rasa 3.6 made is brought up to date, on SQLite and, where it runs, on PostgreSQL."""

import asyncio
import hashlib
import json
import subprocess
import sys
import uuid

import psycopg
import pytest
import sqlalchemy as sa
from alembic.config import Config
from alembic.script import ScriptDirectory
from rasa.core.tracker_store import SQLTrackerStore
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, BotUttered, SessionStarted, UserUttered

from backtalk import paths
from backtalk.engine import migrations
from backtalk.engine.tracker_store import RememberingTrackerStore

POSTGRES = {"host": "127.0.0.1", "port": 5432, "username": "postgres"}
# As Rasa 3.6 makes it.
OLD = """
CREATE TABLE events (
    id {number} NOT NULL PRIMARY KEY,
    sender_id VARCHAR(255) NOT NULL,
    type_name VARCHAR(255) NOT NULL,
    timestamp FLOAT,
    intent_name VARCHAR(255),
    action_name VARCHAR(255),
    data TEXT
)
"""
COLUMNS = "id, sender_id, type_name, timestamp, intent_name, action_name, data"
LONGEST = "s" * 255


def postgres(database="postgres"):
    return psycopg.connect(
        host=POSTGRES["host"],
        port=POSTGRES["port"],
        user=POSTGRES["username"],
        dbname=database,
        connect_timeout=2,
        autocommit=True,
    )


@pytest.fixture(params=["sqlite", "postgresql"])
def make_engine(request, tmp_path):
    """Makes an empty database, and connects to it."""
    engines, names = [], []
    if request.param == "postgresql":
        try:
            postgres().close()
        except psycopg.OperationalError:
            pytest.skip("no PostgreSQL on 127.0.0.1:5432 lets the user postgres in")

    def make():
        names.append(f"backtalk_test_{uuid.uuid4().hex}")
        if request.param == "sqlite":
            url = sa.URL.create("sqlite", database=str(tmp_path / names[-1]))
        else:
            with postgres() as connection:
                connection.execute(f"CREATE DATABASE {names[-1]}")
            url = sa.URL.create("postgresql", database=names[-1], **POSTGRES)
        engines.append(sa.create_engine(url))
        return engines[-1]

    yield make
    for engine in engines:
        engine.dispose()
    if request.param == "postgresql":
        with postgres() as connection:
            for name in names:
                connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def said(sender, text, channel):
    """What a visitor said, as Rasa keeps it."""
    event = UserUttered(text, {"name": "greet"}, input_channel=channel, timestamp=1.5).as_dict()
    return sender, "user", 1.5, "greet", None, json.dumps(event)


def done(sender, event=None):
    """What the bot did, as Rasa keeps it."""
    event = event or ActionExecuted("action_listen", timestamp=2.5)
    return sender, event.type_name, event.timestamp, None, event.as_dict().get("name"), json.dumps(event.as_dict())


ROWS = [
    done("a" * 32, SessionStarted(timestamp=0.5)),
    said("a" * 32, "on the page", "web"),
    said("program's visitor", "by a program", "rest"),
    done("a" * 32, BotUttered("Hello.", timestamp=2.0)),
    done("nobody's"),
    said("both", "first here", "rest"),
    said("both", "then there", "callback"),
    done("both"),
    said("web:looks like it", "by a program", "rest"),
    said("rest:looks like it", "on the page", "web"),
    said("of none", "no channel is known", None),
    said("of an odd one", "another channel", "my channel: 'web'"),
    ("unreadable", "user", 1.5, None, None, "{no JSON"),
    ("empty", "user", 1.5, None, None, None),
    ("a list", "user", 1.5, None, None, "[]"),
    said("üñí 🙂 '; %", "by a program", "rest"),
    said(LONGEST, "by a program", "rest"),
]
NAMES = {
    "a" * 32: "web:" + "a" * 32,
    "program's visitor": "rest:program's visitor",
    "nobody's": "rest:nobody's",
    "both": "callback:both",
    "web:looks like it": "rest:web:looks like it",
    "rest:looks like it": "web:rest:looks like it",
    "of none": "rest:of none",
    "of an odd one": "rest:of an odd one",
    "unreadable": "rest:unreadable",
    "empty": "rest:empty",
    "a list": "rest:a list",
    "üñí 🙂 '; %": "rest:üñí 🙂 '; %",
    # What is too long for its column ends in a digest, so that two do not become one.
    LONGEST: f"rest:{'s' * 186}{hashlib.sha256(f'rest:{LONGEST}'.encode()).hexdigest()}",
}


@pytest.fixture
def old(make_engine):
    """A database that Rasa 3.6 made and used."""
    engine = make_engine()
    with engine.begin() as connection:
        number = "INTEGER" if engine.dialect.name == "sqlite" else "SERIAL"
        connection.exec_driver_sql(OLD.format(number=number))
        connection.exec_driver_sql("CREATE INDEX ix_events_sender_id ON events (sender_id)")
        values = ", ".join(f":{name}" for name in COLUMNS.split(", ")[1:])
        insert = sa.text(f"INSERT INTO events ({COLUMNS.removeprefix('id, ')}) VALUES ({values})")
        connection.execute(insert, [dict(zip(COLUMNS.split(", ")[1:], row, strict=True)) for row in ROWS])
    return engine


def rows(engine):
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(sa.text(f"SELECT {COLUMNS} FROM events ORDER BY id"))]


def version(engine):
    with engine.connect() as connection:
        return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalars().all()


def migrated(before):
    """What rows should be like afterwards."""
    return [(number, NAMES[sender], *others) for number, sender, *others in before]


def open_store(engine):
    """The store of the bot on the same database."""
    url = engine.url
    where = {"db": url.database} if url.host is None else {**POSTGRES, "db": url.database}
    return RememberingTrackerStore(Domain.empty(), dialect=engine.dialect.name, **where)


def look(engine):
    """How the table is made: its columns and its indexes."""
    columns = {
        column["name"]: (str(column["type"]).replace("DOUBLE PRECISION", "FLOAT"), column["nullable"])
        for column in sa.inspect(engine).get_columns("events")
    }
    indexes = [(index["column_names"], bool(index["unique"])) for index in sa.inspect(engine).get_indexes("events")]
    return columns, sa.inspect(engine).get_pk_constraint("events")["constrained_columns"], indexes


class TestOldDatabase:
    def test_names_each_conversation_with_its_channel_and_changes_nothing_else(self, old):
        before = rows(old)
        migrations.bring_up_to_date(old)
        assert len(before) == len(ROWS) and rows(old) == migrated(before)
        assert version(old) == [migrations.HEAD]

    def test_a_second_start_changes_nothing(self, old):
        migrations.bring_up_to_date(old)
        before = rows(old)
        for _ in range(2):
            migrations.bring_up_to_date(old)
        assert rows(old) == before and version(old) == [migrations.HEAD]

    def test_the_store_goes_on_with_its_conversations(self, old):
        stores = []
        for text in ("after", "and again"):
            store = open_store(old)
            stores.append(store)
            tracker = asyncio.run(store.retrieve("web:" + "a" * 32))
            tracker.update(UserUttered(text, {"name": "greet"}, input_channel="web"))
            asyncio.run(store.save(tracker))
        assert [event.text for event in tracker.events if isinstance(event, UserUttered)] == [
            "on the page",
            "after",
            "and again",
        ]
        assert {*asyncio.run(store.keys())} == {*NAMES.values()}
        assert asyncio.run(store.retrieve("a" * 32)) is None
        for store in stores:
            store.engine.dispose()

    def test_an_empty_one_is_as_good_as_a_new_one(self, make_engine):
        engine = make_engine()
        SQLTrackerStore.SQLEvent.metadata.create_all(engine)
        migrations.bring_up_to_date(engine)
        assert rows(engine) == [] and version(engine) == [migrations.HEAD]

    def test_one_whose_change_fails_stays_as_it_was_and_is_changed_the_next_time(self, old):
        before, refuse, permit = rows(old), *TROUBLE[old.dialect.name]
        with old.begin() as connection:
            connection.exec_driver_sql(refuse)
        with pytest.raises(sa.exc.IntegrityError):
            migrations.bring_up_to_date(old)
        assert rows(old) == before
        with old.begin() as connection:
            connection.exec_driver_sql(permit)
        migrations.bring_up_to_date(old)
        assert rows(old) == migrated(before) and version(old) == [migrations.HEAD]


# What lets no conversation have the name that one of them should get, and what takes that away.
TROUBLE = {
    "sqlite": (
        "CREATE TRIGGER refuse BEFORE UPDATE ON events WHEN NEW.sender_id = 'callback:both' "
        "BEGIN SELECT RAISE(ABORT, 'refused'); END",
        "DROP TRIGGER refuse",
    ),
    "postgresql": (
        "ALTER TABLE events ADD CONSTRAINT refuse CHECK (sender_id <> 'callback:both')",
        "ALTER TABLE events DROP CONSTRAINT refuse",
    ),
}


class TestNewDatabase:
    def test_has_the_table_that_rasa_has(self, make_engine):
        ours, rasas = make_engine(), make_engine()
        migrations.bring_up_to_date(ours)
        SQLTrackerStore.SQLEvent.metadata.create_all(rasas)
        assert look(ours) == look(rasas)
        assert version(ours) == [migrations.HEAD]

    def test_has_the_table_that_rasa_36_made(self, make_engine, old):
        engine = make_engine()
        migrations.bring_up_to_date(engine)
        assert look(engine) == look(old)

    def test_whose_table_was_taken_away_has_a_new_one(self, old):
        migrations.bring_up_to_date(old)
        with old.begin() as connection:
            connection.exec_driver_sql("DROP TABLE events")
        migrations.bring_up_to_date(old)
        assert rows(old) == [] and version(old) == [migrations.HEAD]


def test_servers_that_start_together_name_each_conversation_once(old):
    before = rows(old)
    lines = [
        "import sqlalchemy, sys",
        "from backtalk.engine import migrations",
        "migrations.bring_up_to_date(sqlalchemy.create_engine(sys.argv[1]))",
    ]
    command = [sys.executable, "-c", "\n".join(lines), old.url.render_as_string(hide_password=False)]
    servers = [subprocess.Popen(command, cwd=paths.ROOT, stderr=subprocess.DEVNULL) for _ in range(3)]
    ended = [server.wait(60) for server in servers]
    # With SQLite, which is for one server, the others may fail; the store then tries again with the next message.
    assert 0 in ended and (old.dialect.name == "sqlite" or not any(ended))
    assert rows(old) == migrated(before) and version(old) == [migrations.HEAD]


class TestVersions:
    @pytest.fixture
    def scripts(self):
        config = Config()
        config.set_main_option("script_location", str(paths.ROOT / "backtalk" / "engine" / "migrations"))
        return ScriptDirectory.from_config(config)

    def test_the_head_is_the_newest(self, scripts):
        assert scripts.get_heads() == [migrations.HEAD]

    def test_are_one_line_from_the_first_to_the_head(self, scripts):
        revisions = [script.revision for script in scripts.walk_revisions()]
        assert revisions == [f"{number:04}" for number in range(len(revisions), 0, -1)]
