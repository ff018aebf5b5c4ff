"""What a switch says about its surroundings: neighbours, stations, radio, optical terminals.

Read hourly and when the rows change, never for the verdict of a link itself. Of stations only
the number leaves the school, and the rows of those that are infrastructure (decision 0010).
"""

from tenone.vocabulary.metric import ColumnType as T
from tenone.vocabulary.metric import Metric, care_metric, port_metric

METRICS_SURROUNDINGS: tuple[Metric, ...] = (
    # Who a switch is: what its neighbours and the inventory know it by.
    port_metric("own_chassis_id", "text", T.TEXT, "LLDP-MIB lldpLocChassisId"),
    port_metric("own_base_mac", "text", T.TEXT, "BRIDGE-MIB dot1dBaseBridgeAddress"),
    port_metric("own_serial", "text", T.TEXT, "ENTITY-MIB entPhysicalSerialNum of the chassis"),
    port_metric("own_engine_id", "text", T.TEXT, "SNMP-FRAMEWORK-MIB snmpEngineID, hex"),
    port_metric("own_model", "text", T.TEXT, "ENTITY-MIB entPhysicalModelName of the chassis"),
    # A neighbour, one row each.
    port_metric("neighbour_port", "text", T.TEXT, "key of our port it is heard on"),
    port_metric("neighbour_protocol", "text", T.TEXT, "lldp, cdp, fdp"),
    port_metric("neighbour_chassis_id", "text", T.TEXT, "lldpRemChassisId, cdpCacheDeviceId"),
    port_metric("neighbour_mac", "text", T.TEXT, "its chassis id, where that is an address"),
    port_metric("neighbour_remote_port", "text", T.TEXT, "lldpRemPortId, cdpCacheDevicePort"),
    port_metric("neighbour_port_descr", "text", T.TEXT, "lldpRemPortDesc"),
    port_metric("neighbour_name", "text", T.TEXT, "lldpRemSysName, cdpCacheDeviceId"),
    port_metric("neighbour_descr", "text", T.TEXT, "lldpRemSysDesc, cdpCacheVersion"),
    port_metric("neighbour_platform", "text", T.TEXT, "cdpCachePlatform"),
    port_metric("neighbour_capabilities", "text", T.TEXT, "lldpRemSysCapEnabled, names"),
    port_metric("neighbour_address", "text", T.TEXT, "lldpRemManAddr, cdpCacheAddress"),
    # Stations behind a port: how many.
    port_metric("station_count", "1", T.UINT32, "BRIDGE-MIB, Q-BRIDGE-MIB: learnt addresses"),
    port_metric("end_neighbour_count", "1", T.UINT32, "LLDP neighbours that are end stations"),
    # Stations that are infrastructure: which.
    port_metric("station_mac", "text", T.TEXT, "dot1qTpFdbAddress, lower-case hex"),
    port_metric("station_port", "text", T.TEXT, "key of the port it is learnt on"),
    port_metric("station_vlans", "text", T.TEXT, "VLAN ids, comma between; empty: untold"),
    port_metric("station_addresses", "text", T.TEXT, "ipNetToMedia, ipNetToPhysical; spaces"),
    # An access point, as its controller says.
    care_metric("ap_name", "text", T.TEXT, "vendor table, see drivers/snmp/vendors"),
    care_metric("ap_mac", "text", T.TEXT, "vendor table"),
    care_metric("ap_serial", "text", T.TEXT, "vendor table"),
    care_metric("ap_model", "text", T.TEXT, "vendor table"),
    care_metric("ap_address", "text", T.TEXT, "vendor table"),
    care_metric("ap_state", "text", T.TEXT, "online, offline, or the vendor's word"),
    care_metric("ap_clients", "1", T.UINT32, "vendor table: associated stations"),
    # A radio of an access point.
    care_metric("radio_ap", "text", T.TEXT, "the access point's key"),
    care_metric("radio_band", "text", T.TEXT, "2.4, 5 or 6 (GHz)"),
    care_metric("radio_channel", "1", T.UINT16, "vendor table"),
    care_metric("radio_clients", "1", T.UINT32, "vendor table"),
    care_metric("radio_power_dbm", "dBm", T.FLOAT32, "vendor table: transmit power"),
    care_metric("radio_busy_ratio", "1", T.FLOAT32, "vendor table: channel utilisation 0..1"),
    # A wireless network name, over all radios of the device.
    care_metric("wlan_clients", "1", T.UINT32, "vendor table"),
    care_metric("wlan_clients_2g", "1", T.UINT32, "vendor table: of them on 2.4 GHz"),
    care_metric("wlan_clients_5g", "1", T.UINT32, "vendor table: of them on 5 GHz"),
    # An optical terminal behind an OLT.
    care_metric("onu_port", "text", T.TEXT, "key of the OLT's PON port"),
    care_metric("onu_name", "text", T.TEXT, "vendor table: description"),
    care_metric("onu_serial", "text", T.TEXT, "vendor table: four letters, eight hex digits"),
    care_metric("onu_state", "text", T.TEXT, "online, offline, or the vendor's number"),
    care_metric("onu_rx_dbm", "dBm", T.FLOAT32, "vendor table: power received by the terminal"),
    care_metric("onu_distance_metres", "m", T.UINT32, "vendor table: ranged distance"),
    care_metric("pon_onus", "1", T.UINT32, "vendor table: terminals registered on a PON port"),
    care_metric("pon_onus_online", "1", T.UINT32, "vendor table: of them online"),
)

SWITCH_IDENTITY = (
    "own_chassis_id",
    "own_base_mac",
    "own_serial",
    "own_engine_id",
    "own_model",
)
"""Stream ``switch-identity``, one row a switch."""

NEIGHBOURS = (
    "neighbour_port",
    "neighbour_protocol",
    "neighbour_chassis_id",
    "neighbour_mac",
    "neighbour_remote_port",
    "neighbour_port_descr",
    "neighbour_name",
    "neighbour_descr",
    "neighbour_platform",
    "neighbour_capabilities",
    "neighbour_address",
)
"""Stream ``neighbours``; rows ``<port key>|<n>``, n counts from 1 on each port."""

STATION_COUNTS = ("station_count", "end_neighbour_count")
"""Stream ``station-counts``; rows are the keys of the wired ports, and of others that have any."""

STATIONS = ("station_mac", "station_port", "station_vlans", "station_addresses")
"""Stream ``stations``; rows are the addresses of infrastructure."""

APS = (
    "ap_name",
    "ap_mac",
    "ap_serial",
    "ap_model",
    "ap_address",
    "ap_state",
    "ap_clients",
)
"""Stream ``aps``; rows are the keys by which the controller knows its access points."""

RADIOS = (
    "radio_ap",
    "radio_band",
    "radio_channel",
    "radio_clients",
    "radio_power_dbm",
    "radio_busy_ratio",
)
"""Stream ``radios``; rows ``<ap key>/<radio>``, or the radio's name where the device is the AP."""

WLANS = ("wlan_clients", "wlan_clients_2g", "wlan_clients_5g")
"""Stream ``wlans``; rows are network names."""

ONUS = (
    "onu_port",
    "onu_name",
    "onu_serial",
    "onu_state",
    "onu_rx_dbm",
    "onu_distance_metres",
)
"""Stream ``onus``; rows ``<PON port key>/<onu>``."""

PONS = ("pon_onus", "pon_onus_online")
"""Stream ``pons``; rows are the keys of PON ports."""

SURROUNDINGS = {
    "switch-identity": SWITCH_IDENTITY,
    "neighbours": NEIGHBOURS,
    "station-counts": STATION_COUNTS,
    "stations": STATIONS,
    "aps": APS,
    "radios": RADIOS,
    "wlans": WLANS,
    "onus": ONUS,
    "pons": PONS,
}
"""Columns by stream."""
