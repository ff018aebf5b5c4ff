"""The topology room's tables among the records, dated as all of them."""

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from controller.store.tables import SLUG, Dated

PORT = String(512)
LONG = String(512)


class TopologyEdgeRow(Dated):
    """A neighbour as a switch heard it on a port, over time."""

    __tablename__ = "topology_edge"
    __table_args__ = (Index(None, "school", "switch"),)
    KEY = ("school", "switch", "port", "whom")

    school: Mapped[str] = mapped_column(SLUG)
    switch: Mapped[str] = mapped_column(SLUG)
    port: Mapped[str] = mapped_column(PORT)
    whom: Mapped[str] = mapped_column(LONG)
    """Its hardware address, else its chassis id, else its name."""
    protocol: Mapped[str] = mapped_column(String(8))
    chassis_id: Mapped[str | None] = mapped_column(LONG)
    mac: Mapped[str | None] = mapped_column(String(64))
    remote_port: Mapped[str | None] = mapped_column(LONG)
    name: Mapped[str | None] = mapped_column(LONG)
    address: Mapped[str | None] = mapped_column(String(64))
    capabilities: Mapped[str | None] = mapped_column(String(200))


class TopologyBaselineRow(Dated):
    """What is taken as right, over time: who a switch is, where an address belongs.

    ``kind``: ``identity`` what a switch says, ``accepted`` what it should say, ``home`` where an
    address of infrastructure sits.
    """

    __tablename__ = "topology_baseline"
    __table_args__ = (Index(None, "school", "kind"),)
    KEY = ("school", "kind", "name")

    school: Mapped[str] = mapped_column(SLUG)
    kind: Mapped[str] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(String(64))
    value: Mapped[str] = mapped_column(Text)
    """JSON."""


class DriftRow(Dated):
    """A difference between inventory and network, while it stood."""

    __tablename__ = "drift"
    __table_args__ = (Index(None, "school", "kind"),)
    KEY = ("school", "kind", "subject")

    school: Mapped[str] = mapped_column(SLUG)
    kind: Mapped[str] = mapped_column(String(24))
    subject: Mapped[str] = mapped_column(String(600))
    link: Mapped[str | None] = mapped_column(String(65))
    place: Mapped[str] = mapped_column(String(600))
    expected: Mapped[str] = mapped_column(String(600))
    seen: Mapped[str] = mapped_column(String(600))
