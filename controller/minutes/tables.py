"""The running count, kept hour by hour so that a restart goes on where it was."""

from sqlalchemy import BigInteger, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from controller.store.tables import SLUG, Base, Number


class ClassMinuteHour(Base):
    """One hour of one school: 60 minutes of counts, packed (:mod:`controller.minutes.kept`)."""

    __tablename__ = "class_minute_hour"
    __table_args__ = (Index(None, "school", "hour_ns", unique=True), Index(None, "hour_ns"))

    row: Mapped[int] = mapped_column(Number, primary_key=True, autoincrement=True)
    school: Mapped[str] = mapped_column(SLUG)
    hour_ns: Mapped[int] = mapped_column(BigInteger)
    data: Mapped[bytes] = mapped_column(LargeBinary)
