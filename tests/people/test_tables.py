"""The tables of accounts: what the migration makes is what the code reads."""

import sqlalchemy as sa

from controller.trust.people.tables import (
    AccountBookRow,
    AccountBrowserRow,
    AccountCodeRow,
    AccountGrantRow,
    AccountNoteRow,
    AccountRow,
)
from tests.people.conftest import House


def test_the_migration_makes_them_and_the_book_has_its_one_row(house: House) -> None:
    inspector = sa.inspect(house.sql.engine)
    for table in (
        AccountBookRow,
        AccountBrowserRow,
        AccountCodeRow,
        AccountGrantRow,
        AccountNoteRow,
        AccountRow,
    ):
        made = {column["name"] for column in inspector.get_columns(table.__tablename__)}
        assert made == set(table.__table__.columns.keys()), table.__tablename__
    with house.sql.engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(AccountBookRow)) == 1
    assert house.records.revision() > 0
