"""Called by Alembic with the connection the records hold; there is no alembic.ini."""

from alembic import context

from controller.store.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    version_table="records_version",
)
with context.begin_transaction():
    context.run_migrations()
