"""Secrets of a configuration: out, and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.cli.care.masks import UnknownSecretError, mask, unmask

KEY = b"k" * 32
CANARY = "CANARY7341"
LINES = [
    # Huawei
    "snmp-agent community read cipher {}",
    "snmp-agent community read {}",
    " local-user admin password irreversible-cipher {}",
    "super password level 15 cipher {}",
    " radius-server shared-key cipher {}",
    "snmp-agent usm-user v3 u1 authentication-mode sha2-256 {}",
    "snmp-agent usm-user v3 u1 privacy-mode aes128 cipher {}",
    " set authentication password cipher {}",
    "snmp-agent target-host trap address udp-domain 10.1.1.1 params securityname {}",
    " ospf authentication-mode md5 1 cipher {}",
    # H3C
    "snmp-agent community write simple {}",
    " password hash {}",
    "snmp-agent usm-user v3 u g simple authentication-mode sha {} privacy-mode aes128 CANARY7341b",
    " key authentication simple {}",
    " primary authentication 10.0.0.1 key cipher {}",
    # Cisco, Ruijie, ZTE
    "enable secret 5 {}",
    "enable password {}",
    "username admin privilege 15 secret 9 {}",
    "username admin password 7 {}",
    "snmp-server community {} RO",
    "snmp-server host 10.1.1.1 version 2c {} ",
    "snmp-server host 10.1.1.1 {}",
    "radius-server host 10.0.0.1 key 7 {}",
    "tacacs-server key {}",
    " key-string 7 {}",
    "crypto isakmp key {} address 0.0.0.0",
    "ntp authentication-key 1 md5 {} 7",
    " ip ospf message-digest-key 1 md5 7 {}",
    "snmp-server user u g v3 auth sha {} priv aes 128 CANARY7341c",
    " neighbor 10.0.0.2 password 7 {}",
    " wpa-psk ascii 0 {}",
    "username admin password encrypted {}",
    # As they stand in running configurations of public repositories and in the vendors' references.
    " ospf authentication-mode simple cipher {}",
    " ospf authentication-mode simple plain {}",
    " vrrp vrid 1 authentication-mode simple cipher {}",
    " rip authentication-mode md5 rfc2453 {}",
    " ospf authentication-mode hmac-md5 1 {}",
    "capwap dtls psk %^%#~~J#2{}>(a61>,AHm%^%#",
    "capwap dtls inter-controller psk {}",
    " security wpa2 psk pass-phrase {} aes",
    " md5-password cipher 10.0.0.2 {}",
    " sa authentication-hex inbound ah {}",
    " sa string-key outbound esp simple {}",
    "ssl certificate load pem-cert x.pem key-pair rsa key-file k.pem auth-code {}",
    " pin verify auto {}",
    "snmp-agent community {} user-role network-operator",
    " portal server s ip 10.0.0.1 key {} url http://10.0.0.1",
    "rmon event 1 description loss log-trap {} owner noc",
    "mka psk ckn 1234 cak {}",
    "snmp-server community encrypted {} view AllView rw",
    "snmp-server host 10.1.1.1 trap version 2c encrypted {} udp-port 162",
    "snmp-server host vrf mng 10.1.1.1 trap version 2c {} udp-port 162",
    "    password encrypted *21*{}Nz0tjJfcP3w",
    " server 1 10.1.1.1 master key {} port 1812",
    " server 1 10.1.1.1 key encrypted {} port 1812",
    "enable secret level 15 encrypted {}",
    "username wyf password {}",
    "radius-server host 10.0.0.12 test username u idle-time 2 key {}",
    "snmp-server host 10.0.0.12 traps version 2c {}",
    "enable secret level 3 5 {}",
    "enable password level 15 7 {}",
    "radius-server host 10.0.0.1 key 7 {} auth-port 1812",
    "radius-server host 10.0.0.1 auth-port 1812 key {} retransmit 3",
    " key-string {} timeout 30",
    " standby 1 authentication {}",
    " ip nhrp authentication {}",
    " vrrp 1 authentication md5 key-string 7 {}",
    "ntp authentication-key 1 hmac-sha2-256 {} 7",
    "snmp-server user u g v3 auth sha 7 {} priv aes128 7 CANARY7341d",
    "snmp mib community-map {} engineid 8000",
    " path ftp://backup:{}@10.0.0.1/$h",
    " pre-shared-key local {}",
    "key config-key password-encrypt {}",
    ' password 7 "a"{}',
]
HARMLESS = [
    "sysname core",
    " authentication-mode aaa",
    " local-user admin service-type ssh",
    " local-user admin privilege level 15",
    "interface GigabitEthernet0/0/1",
    " description key to room 302",
    "key chain ospf",
    " key 1",
    "snmp-agent sys-info version v3",
    "snmp-server location school 3",
    "service password-encryption",
    " port default vlan 99",
    "ssh server cipher aes256_ctr aes128_ctr",
    "ssh client cipher aes256_ctr",
    "snmp-agent community complexity-check disable",
    "  authentication-mode hwtacacs local",
    " ospf authentication-mode hmac-sha256 keychain x",
    "ssh server key-exchange dh_group14_sha1",
    " switchport port-security mac-address sticky",
    " path flash:backup",
    "enrollment url http://10.0.0.1:8080/a",
]


@pytest.mark.parametrize("line", LINES)
def test_a_secret_is_taken_out_and_put_back(line: str) -> None:
    text = line.format(CANARY)
    hidden = mask([text], KEY)
    assert CANARY not in "".join(hidden.lines)
    assert hidden.lines != (text,)
    assert unmask(hidden.lines, hidden.secrets) == (text,)


@pytest.mark.parametrize("line", HARMLESS)
def test_what_is_no_secret_stays_readable(line: str) -> None:
    if line.startswith(" description"):
        # In doubt a word is masked: the end of a line after "key" looks like one.
        assert unmask(mask([line], KEY).lines, mask([line], KEY).secrets) == (line,)
    else:
        assert mask([line], KEY).lines == (line,)


def test_a_private_key_goes_as_a_whole() -> None:
    block = ["-----BEGIN RSA PRIVATE KEY-----", "abc", "def", "-----END RSA PRIVATE KEY-----"]
    hidden = mask(["a", *block, "b"], KEY)
    assert len(hidden.lines) == 3
    assert unmask(hidden.lines, hidden.secrets) == ("a", *block, "b")
    torn = mask(["a", *block[:2]], KEY)
    assert "abc" not in "".join(torn.lines)


def test_a_changed_secret_shows_and_another_key_names_it_otherwise() -> None:
    one, two = (mask([f"enable secret 5 {text}"], KEY).lines for text in ("a1", "a2"))
    assert one != two
    assert mask(["enable secret 5 a1"], b"o" * 32).lines != one


def test_a_mask_the_switch_made_up_opens_nothing() -> None:
    hidden = mask(["enable secret 5 hunter2"], KEY)
    (name,) = hidden.secrets
    forged = mask([f"description <secret:{name}>"], KEY)
    assert f"<secret:{name}>" not in forged.lines[0]
    assert unmask(forged.lines, forged.secrets) == (f"description <secret:{name}>",)


def test_a_secret_that_is_lost_is_said() -> None:
    with pytest.raises(UnknownSecretError, match="not known"):
        unmask(["enable secret 5 <secret:0011223344556677>"], {})


WORDS = st.sampled_from(
    ["password", "cipher", "key", "7", "secret", "snmp-agent", "community", "read", "<secret:", "x"]
) | st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\n\r"), max_size=6)


@given(st.lists(st.lists(WORDS, max_size=8).map(" ".join), max_size=6))
def test_whatever_stands_there_comes_back_whole(lines: list[str]) -> None:
    hidden = mask(lines, KEY)
    assert unmask(hidden.lines, hidden.secrets) == tuple(lines)
