"""Typed configuration: ``load_city`` and ``load_school``, errors with file, line and remedy."""

from tenone.config.base import Broker, Tls
from tenone.config.calendar import CalendarFile
from tenone.config.city import City, District, Profile
from tenone.config.load import load, load_city, load_school
from tenone.config.problems import ConfigError, ConfigProblem
from tenone.config.school import Device, Link, Outbox, Polling, School, Switch, Uplink
from tenone.config.secret import SecretError, SecretRef
from tenone.config.snmp import Snmp

__all__ = [
    "Broker",
    "CalendarFile",
    "City",
    "ConfigError",
    "ConfigProblem",
    "Device",
    "District",
    "Link",
    "Outbox",
    "Polling",
    "Profile",
    "School",
    "SecretError",
    "SecretRef",
    "Snmp",
    "Switch",
    "Tls",
    "Uplink",
    "load",
    "load_city",
    "load_school",
]
