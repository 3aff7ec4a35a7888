"""Alembic runs this: it changes the database that `bring_up_to_date` has a connection to."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], target_metadata=None)
with context.begin_transaction():
    context.run_migrations()
