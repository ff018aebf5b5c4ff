"""What active probes measure: samples of a path, of names, of platforms, of hops.

Every row is one packet, one question or one request, kept raw: loss, delay and jitter (SLA.md,
definitions 6 to 8) are computed from these columns and from nothing else.
"""

from enum import IntEnum
from typing import Final

from tenone.vocabulary.metric import ColumnType as T
from tenone.vocabulary.metric import Metric, port_metric

OUTAGE_PACKETS: Final = 4
"""Lost in a row, then one that arrives: an outage that is over; proofs of loss begin anew."""
PROOF_PACKETS: Final = 1060
"""Without a loss they prove that a path keeps to 0.5 % (controller/sla/loss_window.py): what the
agent has to bring, and where the controller looks. Of twice as many a few may be lost."""
PROOF_LOSSES: Final = 2
"""So many."""


class ProbeOutcome(IntEnum):
    """What became of one test packet. A row without an outcome: no packet was due there."""

    ANSWERED = 1
    LOST = 2
    """Sent, and not answered within 3 s."""
    NOT_SENT = 3
    """The gateway's own system refused to send it; says nothing about the path."""
    NO_ADDRESS = 4
    """The target's name has no address; nothing was sent."""


class DnsOutcome(IntEnum):
    """What became of one question to one resolver."""

    ANSWERED = 1
    """NOERROR with at least one record of the type asked for."""
    NO_RECORDS = 2
    """NOERROR without such a record."""
    NO_NAME = 3
    """NXDOMAIN."""
    SERVER_FAILED = 4
    """Any other response code; ``dns_rcode`` says which."""
    TIMEOUT = 5
    MALFORMED = 6
    """Something came from the resolver that is no answer to the question."""
    UNREACHABLE = 7


class HttpOutcome(IntEnum):
    """How far one request to a platform came; the phases before it have their times."""

    ANSWERED = 1
    """A status line came; ``http_status`` says what it holds."""
    NO_ADDRESS = 2
    NO_CONNECTION = 3
    TLS_FAILED = 4
    """The handshake, or the certificate."""
    NO_ANSWER = 5
    """Connected, but no status line came in time."""
    MALFORMED = 6
    """What came is not HTTP, or a redirect leads nowhere."""


class HopOutcome(IntEnum):
    """What answered one packet of limited lifetime."""

    TRANSIT = 1
    """A router on the way: ICMP time exceeded."""
    REACHED = 2
    """The platform itself."""
    LOST = 3
    REFUSED = 4
    """A router or firewall says that it will not pass the packet on (ICMP unreachable)."""
    NOT_SENT = 5


METRICS_PROBES: tuple[Metric, ...] = (
    # One test packet (RFC 8762; T1 to T4 of RFC 5357).
    port_metric("probe_sequence", "1", T.UINT32, "STAMP sequence number in its session"),
    port_metric("probe_offset_us", "us", T.UINT32, "T1 after the window's start (stamp sent_ns)"),
    port_metric("probe_outcome", "enum", T.UINT8, "ProbeOutcome; unknown: no packet was due"),
    port_metric("probe_away_ns", "ns", T.UINT32, "T4 - T1 by our clock; unknown if lost"),
    port_metric("probe_held_ns", "ns", T.UINT32, "T3 - T2 by the reflector's clock"),
    port_metric("probe_forward_ns", "ns", T.INT64, "T2 - T1; only where both clocks are proved"),
    port_metric("probe_dscp_sent", "1", T.UINT8, "DSCP (RFC 2474) the packet left with"),
    port_metric("probe_dscp_there", "1", T.UINT8, "DSCP the reflector saw (RFC 8972 section 4.4)"),
    port_metric("probe_dscp_back", "1", T.UINT8, "DSCP of the reply as it arrived"),
    port_metric("probe_duplicates", "1", T.UINT8, "further replies to the same packet"),
    # Of a burst, whose rows are the same whatever it is aimed at.
    port_metric("probe_target", "text", T.TEXT, "the target's name in school.yaml"),
    # A target as a whole, one row a target.
    port_metric("probe_address", "text", T.TEXT, "the address it is probed at"),
    port_metric("probe_error", "text", T.TEXT, "why it cannot be probed; empty if it can"),
    # One question to one resolver.
    port_metric("dns_outcome", "enum", T.UINT8, "DnsOutcome"),
    port_metric("dns_time_us", "us", T.UINT32, "from question to answer"),
    port_metric("dns_rcode", "1", T.UINT16, "RFC 1035 section 4.1.1 RCODE, with RFC 6891 bits"),
    port_metric("dns_answers", "1", T.UINT16, "records of the type asked for"),
    port_metric("dns_answer", "text", T.TEXT, "the records, sorted, as far as they fit"),
    # One request to a platform; a time is unknown where its phase did not come about.
    port_metric("http_outcome", "enum", T.UINT8, "HttpOutcome"),
    port_metric("http_status", "1", T.UINT16, "RFC 9110 status code of the last answer"),
    port_metric("http_dns_us", "us", T.UINT32, "name to address, all requests of the chain"),
    port_metric("http_connect_us", "us", T.UINT32, "TCP handshake, likewise"),
    port_metric("http_tls_us", "us", T.UINT32, "TLS handshake, likewise; unknown without TLS"),
    port_metric("http_first_byte_us", "us", T.UINT32, "request sent to first byte, likewise"),
    port_metric("http_total_us", "us", T.UINT32, "from the start to the body's end or bound"),
    port_metric("http_redirects", "1", T.UINT8, "redirects followed"),
    port_metric("http_body_bytes", "byte", T.UINT32, "read of the last body, which is bounded"),
    port_metric("http_error", "text", T.TEXT, "what went wrong, in one sentence; empty if not"),
    # One packet of limited lifetime towards a platform.
    port_metric("hop_outcome", "enum", T.UINT8, "HopOutcome; unknown: not asked, path is shorter"),
    port_metric("hop_address", "text", T.TEXT, "who answered"),
    port_metric("hop_rtt_us", "us", T.UINT32, "from sending to the ICMP message"),
    port_metric("hop_owner", "text", T.TEXT, "who runs that address, by school.yaml"),
)

PROBE_SAMPLES = (
    "probe_sequence",
    "probe_offset_us",
    "probe_outcome",
    "probe_away_ns",
    "probe_held_ns",
    "probe_forward_ns",
    "probe_dscp_sent",
    "probe_dscp_there",
    "probe_dscp_back",
    "probe_duplicates",
)
"""Stream ``probe-samples``: a row ``target/k`` for the k-th packet due in the window, which lasts
from the stamp's ``sent_ns`` to its ``received_ns``."""

PROBE_BURST = ("probe_target", *PROBE_SAMPLES)
"""Stream ``probe-burst``: a row ``k`` for each packet of a part of a burst."""

PROBE_TARGETS = ("probe_address", "probe_error")
"""Stream ``probe-targets``: a row a target, on change and every few minutes."""

DNS_SAMPLES = ("dns_outcome", "dns_time_us", "dns_rcode", "dns_answers", "dns_answer")
"""Stream ``dns-samples``: a row ``name@resolver``."""

HTTP_SAMPLES = (
    "http_outcome",
    "http_status",
    "http_dns_us",
    "http_connect_us",
    "http_tls_us",
    "http_first_byte_us",
    "http_total_us",
    "http_redirects",
    "http_body_bytes",
    "http_error",
)
"""Stream ``http-samples``: a row a platform."""

PATH_HOPS = ("hop_outcome", "hop_address", "hop_rtt_us", "hop_owner")
"""Stream ``path-hops``: a row ``platform/ttl/k`` for the k-th packet of that lifetime."""
