"""Run by Alembic: works on the connection that server/db/migrate.py hands over."""

from alembic import context

from server.db.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
