"""Which module speaks which dialect."""

from collections.abc import Mapping
from types import MappingProxyType

from drivers.cli.dialect import Dialect
from drivers.cli.dialects.cisco_ios import CiscoIos
from drivers.cli.dialects.comware import Comware
from drivers.cli.dialects.huawei_vrp5 import HuaweiVrp5
from drivers.cli.dialects.huawei_vrp8 import HuaweiVrp8
from drivers.cli.dialects.linux import Linux
from drivers.cli.dialects.ruijie import Ruijie
from drivers.cli.dialects.zte import Zte
from drivers.cli.errors import CannotError
from tenone.vocabulary.intents import Dialect as Name

_DIALECTS: tuple[Dialect, ...] = (
    HuaweiVrp5(),
    HuaweiVrp8(),
    Comware(),
    CiscoIos(),
    Ruijie(),
    Zte(),
    Linux(),
)
DIALECTS: Mapping[Name, Dialect] = MappingProxyType({each.name: each for each in _DIALECTS})


def dialect(name: Name) -> Dialect:
    """The dialect of this name; it has no state, so there is one for all switches."""
    try:
        return DIALECTS[name]
    except KeyError:
        raise CannotError(f"the dialect {name.value!r} is not spoken yet") from None
