"""Object identifiers of what we ask: SNMPv2-MIB, IF-MIB, EtherLike-MIB, ENTITY-MIB, LLDP-MIB."""

from drivers.snmp.ber import Oid

SYSTEM: Oid = (1, 3, 6, 1, 2, 1, 1)
SYS_DESCR: Oid = (*SYSTEM, 1, 0)
SYS_OBJECT_ID: Oid = (*SYSTEM, 2, 0)
SYS_UPTIME: Oid = (*SYSTEM, 3, 0)
SYS_NAME: Oid = (*SYSTEM, 5, 0)

SNMP_ENGINE_BOOTS: Oid = (1, 3, 6, 1, 6, 3, 10, 2, 1, 2, 0)
"""SNMP-FRAMEWORK-MIB: how often the agent has started; a number that only grows."""

IF_NUMBER: Oid = (1, 3, 6, 1, 2, 1, 2, 1, 0)
IF_TABLE_LAST_CHANGE: Oid = (1, 3, 6, 1, 2, 1, 31, 1, 5, 0)

_IF: Oid = (1, 3, 6, 1, 2, 1, 2, 2, 1)
IF_INDEX: Oid = (*_IF, 1)
IF_DESCR: Oid = (*_IF, 2)
IF_TYPE: Oid = (*_IF, 3)
IF_MTU: Oid = (*_IF, 4)
IF_SPEED: Oid = (*_IF, 5)
IF_PHYS_ADDRESS: Oid = (*_IF, 6)
IF_ADMIN_STATUS: Oid = (*_IF, 7)
IF_OPER_STATUS: Oid = (*_IF, 8)
IF_LAST_CHANGE: Oid = (*_IF, 9)
IF_IN_OCTETS: Oid = (*_IF, 10)
IF_IN_UCAST: Oid = (*_IF, 11)
IF_IN_DISCARDS: Oid = (*_IF, 13)
IF_IN_ERRORS: Oid = (*_IF, 14)
IF_OUT_OCTETS: Oid = (*_IF, 16)
IF_OUT_UCAST: Oid = (*_IF, 17)
IF_OUT_DISCARDS: Oid = (*_IF, 19)
IF_OUT_ERRORS: Oid = (*_IF, 20)

_IFX: Oid = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1)
IF_NAME: Oid = (*_IFX, 1)
IF_IN_MULTICAST: Oid = (*_IFX, 2)
IF_IN_BROADCAST: Oid = (*_IFX, 3)
IF_OUT_MULTICAST: Oid = (*_IFX, 4)
IF_OUT_BROADCAST: Oid = (*_IFX, 5)
IF_HC_IN_OCTETS: Oid = (*_IFX, 6)
IF_HC_IN_UCAST: Oid = (*_IFX, 7)
IF_HC_IN_MULTICAST: Oid = (*_IFX, 8)
IF_HC_IN_BROADCAST: Oid = (*_IFX, 9)
IF_HC_OUT_OCTETS: Oid = (*_IFX, 10)
IF_HC_OUT_UCAST: Oid = (*_IFX, 11)
IF_HC_OUT_MULTICAST: Oid = (*_IFX, 12)
IF_HC_OUT_BROADCAST: Oid = (*_IFX, 13)
WIDE = frozenset((*_IFX, column) for column in range(6, 14))
"""The columns of Counter64."""
IF_HIGH_SPEED: Oid = (*_IFX, 15)
IF_ALIAS: Oid = (*_IFX, 18)
IF_COUNTER_DISCONTINUITY: Oid = (*_IFX, 19)

DOT3_DUPLEX: Oid = (1, 3, 6, 1, 2, 1, 10, 7, 2, 1, 19)
"""dot3StatsDuplexStatus; its index dot3StatsIndex is the ifIndex (RFC 3635)."""

_ENTITY: Oid = (1, 3, 6, 1, 2, 1, 47, 1, 1, 1, 1)
ENT_CLASS: Oid = (*_ENTITY, 5)
ENT_DESCR: Oid = (*_ENTITY, 2)
ENT_POSITION: Oid = (*_ENTITY, 6)
ENT_NAME: Oid = (*_ENTITY, 7)
ENT_HARDWARE: Oid = (*_ENTITY, 8)
ENT_FIRMWARE: Oid = (*_ENTITY, 9)
ENT_SOFTWARE: Oid = (*_ENTITY, 10)
ENT_SERIAL: Oid = (*_ENTITY, 11)
ENT_MODEL: Oid = (*_ENTITY, 13)
ENT_CLASS_CHASSIS = 3

_LLDP: Oid = (1, 0, 8802, 1, 1, 2, 1)
LLDP_LOC_PORT: Oid = (*_LLDP, 3, 7, 1)
"""lldpLocPortTable, by lldpLocPortNum: 2 id subtype, 3 id, 4 description."""
LLDP_REM: Oid = (*_LLDP, 4, 1, 1)
"""lldpRemTable, by time mark, local port number, remote index; from 4: chassis id subtype,
chassis id, port id subtype, port id, port description, system name."""

LLDP_REM_ADDRESS: Oid = (*_LLDP, 4, 2, 1)
"""lldpRemManAddrTable, by the same three, then kind, length and octets of the address."""
LLDP_LOC_CHASSIS_SUBTYPE: Oid = (*_LLDP, 3, 1, 0)
LLDP_LOC_CHASSIS_ID: Oid = (*_LLDP, 3, 2, 0)

SNMP_ENGINE_ID: Oid = (1, 3, 6, 1, 6, 3, 10, 2, 1, 1, 0)

BRIDGE_BASE_MAC: Oid = (1, 3, 6, 1, 2, 1, 17, 1, 1, 0)
BRIDGE_PORT_IF_INDEX: Oid = (1, 3, 6, 1, 2, 1, 17, 1, 4, 1, 2)
"""dot1dBasePortIfIndex: LLDP often counts ports as the bridge does."""

ENTERPRISES: Oid = (1, 3, 6, 1, 4, 1)
VENDORS = {
    9: "Cisco",
    11: "HP",
    45: "Avaya",
    171: "D-Link",
    207: "Allied Telesis",
    259: "Edgecore",
    318: "APC",
    368: "Axis",
    674: "Dell",
    890: "Zyxel",
    1248: "Epson",
    1588: "Brocade",
    1916: "Extreme",
    1991: "Ruckus",
    2011: "Huawei",
    2272: "Extreme",
    2636: "Juniper",
    3902: "ZTE",
    3955: "Linksys",
    4413: "Broadcom",
    4526: "Netgear",
    4881: "Ruijie",
    6339: "Digital China",
    6486: "Alcatel-Lucent Enterprise",
    6889: "Avaya",
    8072: "Net-SNMP",
    11863: "TP-Link",
    12356: "Fortinet",
    14331: "Topsec",
    14823: "Aruba",
    14988: "MikroTik",
    25506: "H3C",
    27975: "FS",
    35047: "Sangfor",
    35265: "Eltex",
    39165: "Hikvision",
    41112: "Ubiquiti",
    47196: "HPE Aruba",
    52642: "FS",
    1004849: "Dahua",
}
"""IANA private enterprise numbers of makers seen in schools."""

IF_TYPES = {
    1: "other",
    6: "ethernetCsmacd",
    22: "propPointToPointSerial",
    23: "ppp",
    24: "softwareLoopback",
    33: "rs232",
    37: "atm",
    49: "aal5",
    53: "propVirtual",
    54: "propMultiplexor",
    56: "fibreChannel",
    62: "fastEther",
    69: "fastEtherFX",
    71: "ieee80211",
    94: "adsl",
    97: "vdsl",
    117: "gigabitEthernet",
    131: "tunnel",
    134: "atmSubInterface",
    135: "l2vlan",
    136: "l3ipvlan",
    142: "ipForward",
    150: "mplsTunnel",
    161: "ieee8023adLag",
    166: "mpls",
    202: "virtualTg",
    209: "bridge",
    244: "wwanPP2",
    250: "gpon",
    257: "voiceFXO",
}
"""IANAifType-MIB: the kinds met in schools; others go by their number."""
