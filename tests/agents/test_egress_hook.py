"""Whatever library opens it: what is not listed does not leave. In a process of its own."""

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = r"""
import asyncio, errno, json, socket, sys, threading
from agents.egress import EgressRefusedError, Guard, Rule
from agents.egress_hook import install

good = socket.create_server(("127.0.0.1", 0))
bad = socket.create_server(("127.0.0.1", 0))
listens = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
listens.bind(("127.0.0.1", 0))
deaf = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
deaf.bind(("127.0.0.1", 0))
GOOD, BAD = good.getsockname()[1], bad.getsockname()[1]
UDP, NO_UDP = listens.getsockname()[1], deaf.getsockname()[1]
guard = Guard([Rule("127.0.0.1", "tcp", GOOD, "g"), Rule("127.0.0.1", "udp", UDP, "u"),
               Rule("localhost", "tcp", GOOD, "name")])
install(guard)

def paho(port):
    from paho.mqtt.client import Client
    from paho.mqtt.enums import CallbackAPIVersion
    client = Client(CallbackAPIVersion.VERSION2)
    client.connect_timeout = 1
    client.connect("127.0.0.1", port)

def urllib3(port):
    import urllib3
    urllib3.PoolManager(retries=False, timeout=0.2).request("GET", f"http://127.0.0.1:{port}/")

def httpx_(port):
    import httpx
    httpx.get(f"http://127.0.0.1:{port}/", timeout=0.2)

def dnspython(port):
    import dns.query, dns.message
    dns.query.udp(dns.message.make_query("x.example", "A"), "127.0.0.1", port=port, timeout=0.2)

def sends(method):
    def send(port):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
            method(opened, ("127.0.0.1", port))
    return send

async def stream(port):
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.close()

async def datagram(port):
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        asyncio.DatagramProtocol, remote_addr=("127.0.0.1", port))
    transport.sendto(b"x")
    transport.close()

async def named(port):
    _, writer = await asyncio.open_connection("localhost", port, family=socket.AF_INET)
    writer.close()

WAYS = {
    "create_connection": (
        lambda port: socket.create_connection(("127.0.0.1", port)).close(), GOOD, BAD),
    "open_connection": (lambda port: asyncio.run(stream(port)), GOOD, BAD),
    "by name": (lambda port: asyncio.run(named(port)), GOOD, BAD),
    "paho": (paho, GOOD, BAD),
    "urllib3": (urllib3, GOOD, BAD),
    "httpx": (httpx_, GOOD, BAD),
    "sendto": (sends(lambda s, a: s.sendto(b"x", a)), UDP, NO_UDP),
    "sendto flags": (sends(lambda s, a: s.sendto(b"x", 0, a)), UDP, NO_UDP),
    "sendmsg": (sends(lambda s, a: s.sendmsg([b"x"], [], 0, a)), UDP, NO_UDP),
    "connect udp": (sends(lambda s, a: (s.connect(a), s.send(b"x"))), UDP, NO_UDP),
    "connect_ex": (sends(lambda s, a: s.connect_ex(a)), UDP, NO_UDP),
    "datagram endpoint": (lambda port: asyncio.run(datagram(port)), UDP, NO_UDP),
    "dnspython": (dnspython, UDP, NO_UDP),
}
told = {}
for name, (way, listed, unlisted) in WAYS.items():
    outcome = []
    for port in (listed, unlisted):
        before = guard.refused
        try:
            way(port)
        except Exception as error:
            pass
        outcome.append(guard.refused - before)
    told[name] = outcome
names = []
for host in ("other.example", b"other.example"):
    try:
        socket.getaddrinfo(host, 80)
    except OSError as error:
        names.append(isinstance(error, EgressRefusedError))
bad.setblocking(False)
deaf.setblocking(False)
reached = 0
for opened, take in ((bad, bad.accept), (deaf, lambda: deaf.recv(10))):
    try:
        take()
        reached += 1
    except BlockingIOError:
        pass
unix_a, unix_b = socket.socketpair()
unix_a.send(b"x")
import timeit
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
one = lambda: sender.sendto(b"x", ("127.0.0.1", UDP))
with_guard = min(timeit.repeat(one, number=2000, repeat=5)) / 2000
install(None)
without = min(timeit.repeat(one, number=2000, repeat=5)) / 2000
print(json.dumps({"told": told, "names": names, "reached": reached,
                  "us": [with_guard * 1e6, without * 1e6]}))
"""


def test_every_way_out_passes_the_guard(tmp_path: Path) -> None:
    script = tmp_path / "ways.py"
    script.write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(script)],
        capture_output=True, text=True, timeout=60, check=False, cwd=Path(__file__).parents[2],
        env={"PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    wrong = {name: n for name, n in found["told"].items() if n[0] != 0 or n[1] < 1}
    assert wrong == {}, "[refused of the listed, refused of the unlisted]"
    assert len(found["told"]) == 13
    assert found["names"] == [True, True]
    assert found["reached"] == 0, "not one byte arrived where the list does not lead"
    print("\nsendto with and without the guard: {:.2f} and {:.2f} µs".format(*found["us"]))
