"""Conversations are named <channel>:<id>, so that no channel can name another's."""

import hashlib
import json

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0002", "0001"

# The channel of conversations that do not tell theirs.
_UNKNOWN = "rest"
_LONGEST = 255
_EVENTS = sa.table("events", sa.column("id"), sa.column("sender_id"), sa.column("type_name"), sa.column("data"))


def upgrade() -> None:
    """Puts the channel of its latest message before the id of each conversation."""
    connection = op.get_bind()
    latest = sa.select(_EVENTS.c.data).where(_EVENTS.c.type_name == "user", _EVENTS.c.sender_id == sa.bindparam("old"))
    latest = latest.order_by(_EVENTS.c.id.desc()).limit(1)
    rename = sa.update(_EVENTS).where(_EVENTS.c.sender_id == sa.bindparam("old")).values(sender_id=sa.bindparam("new"))
    for (sender,) in connection.execute(sa.select(_EVENTS.c.sender_id).distinct()).all():
        channel = _channel(connection.execute(latest, {"old": sender}).scalar())
        connection.execute(rename, {"old": sender, "new": _named(channel, sender)})


def _named(channel: str, sender: str) -> str:
    """The new id, which fits into its column and is no other conversation's."""
    name = f"{channel}:{sender}"
    if len(name) <= _LONGEST:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()
    return f"{name[: _LONGEST - len(digest)]}{digest}"


def _channel(data: str | None) -> str:
    try:
        channel = json.loads(data or "{}").get("input_channel")
    except (ValueError, AttributeError):
        return _UNKNOWN
    return channel if isinstance(channel, str) and channel.isidentifier() else _UNKNOWN
