"""Brings the database of conversations up to date, with Alembic: `versions/` holds one file for each change."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

# The newest of `versions/`.
HEAD = "0002"
# Any number that nobody else takes: servers that start together wait for each other with it on PostgreSQL.
_LOCK = 3621_2002
_VERSION = sa.table("alembic_version", sa.column("version_num"))


def bring_up_to_date(engine: sa.Engine) -> None:
    """Makes the table of conversations, or changes an older one. Raises SQLAlchemy's errors."""
    if sa.inspect(engine).has_table(_VERSION.name) and sa.inspect(engine).has_table("events"):
        with engine.connect() as connection:
            if connection.execute(sa.select(_VERSION.c.version_num)).scalar() == HEAD:
                return
    # Needed the first time only, and it takes a while to import.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        if not sa.inspect(connection).has_table("events") and sa.inspect(connection).has_table(_VERSION.name):
            # The table was taken away: begin again.
            connection.execute(sa.delete(_VERSION))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
