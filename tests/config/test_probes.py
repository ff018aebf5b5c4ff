"""``probes:`` in whole files: the defaults, and every sentence about bad ones."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tenone.config import ConfigError, load_school

Values = dict[str, Any]
Write = Callable[[str, Values | str], Path]

CORE: Values = {"name": "core", "kind": "core", "host": "10.0.0.1"}
CLASS: Values = {"name": "c301", "link": "c301", "host": "10.1.3.1", "dscp": [0, 46]}


def test_without_probes_nothing_is_probed(school: Values, write: Write) -> None:
    probes = load_school(write("school.yaml", school)).probes
    assert (probes.targets, probes.dns, probes.platforms) == ((), (), ())


def test_defaults_of_core_and_class(school: Values, write: Write) -> None:
    school["probes"] = {"targets": [CORE, CLASS]}
    core, room = load_school(write("school.yaml", school)).probes.targets
    assert (core.every_seconds, core.in_class_time_only, core.port) == (1.0, False, 862)
    assert (room.every_seconds, room.in_class_time_only, room.dscp) == (15.0, True, (0, 46))


def test_what_is_said_counts(school: Values, write: Write) -> None:
    said = {**CLASS, "interval_seconds": "500ms", "class_time_only": False}
    school["probes"] = {
        "targets": [said],
        "dns": [{"name": "www.example.edu.cn", "resolvers": ["10.0.0.53", "fd00::53"]}],
        "platforms": [{"id": "exam", "url": "https://exam.example.cn:8443/x", "path": True}],
        "owners": [{"network": "10.1.0.0/16", "owner": "学校"}],
    }
    probes = load_school(write("school.yaml", school)).probes
    assert (probes.targets[0].every_seconds, probes.targets[0].in_class_time_only) == (0.5, False)
    assert probes.dns[0].resolvers == ("10.0.0.53", "fd00::53")
    assert (probes.platforms[0].host, probes.platforms[0].label) == ("exam.example.cn", "exam")
    assert probes.owners[0].owner == "学校"


@pytest.mark.parametrize(
    ("probes", "key", "what", "remedy"),
    [
        ([], "probes", "must be a group", "key: value"),
        ({"target": []}, "probes.target", "not known here", "perhaps 'targets'"),
        ({"targets": [{**CORE, "kind": "room"}]}, "probes.targets[0].kind", "'room'", "core"),
        ({"targets": [{**CORE, "dscp": [64]}]}, "probes.targets[0].dscp[0]", "most 63", "lower"),
        ({"targets": [{**CORE, "dscp": []}]}, "probes.targets[0].dscp", "list is empty", "add"),
        ({"targets": [{**CORE, "dscp": [1, 1]}]}, "probes.targets[0]", "stands twice", "once"),
        ({"targets": [{**CORE, "host": "a b"}]}, "probes.targets[0].host", "neither", "without"),
        ({"targets": [CORE, CORE]}, "probes", "core is used twice in 'targets'", "change"),
        (
            {"targets": [{**CLASS, "link": "c999"}]},
            "probes.targets[0].link",
            "no link called 'c999'",
            "'id' of one of the links",
        ),
        (
            {"targets": [{**CORE, "interval_seconds": 0.004}]},
            "probes",
            "300 packets a second",
            "raise 'interval_seconds'",
        ),
        (
            {"window_seconds": 300, "targets": [{**CORE, "interval_seconds": 0.01}]},
            "probes",
            "30000 packets",
            "lower 'window_seconds'",
        ),
        (
            {"dns": [{"name": "x.cn", "resolvers": ["dns.cn"]}]},
            "probes.dns[0].resolvers[0]",
            "not an IP address",
            "10.1.0.53",
        ),
        ({"dns": [{"name": "x.cn"}]}, "probes.dns[0].resolvers", "'resolvers' is missing", "add"),
        (
            {"dns": [{"name": "x.cn", "resolvers": ["10.0.0.1", "10.0.0.1"]}]},
            "probes.dns[0]",
            "stands twice",
            "once",
        ),
        *(
            (
                {"platforms": [{"id": "exam", "url": url}]},
                "probes.platforms[0].url",
                "not an address of a platform",
                "https://",
            )
            for url in ("exam.cn", "ftp://exam.cn", "https://me:pw@exam.cn/", "https://考试.cn/")
        ),
        (
            {"platforms": [{"id": "exam", "url": "https://exam.cn:99999/"}]},
            "probes.platforms[0].url",
            "not an address of a platform",
            "https://",
        ),
        (
            {"owners": [{"network": "10.1.0.1/16", "owner": "x"}]},
            "probes.owners[0].network",
            "not a network",
            "10.1.0.0/16",
        ),
        ({"path_hops": 31}, "probes.path_hops", "at most 30", "lower"),
    ],
)
def test_a_bad_probe_is_a_sentence(
    school: Values, write: Write, probes: object, key: str, what: str, remedy: str
) -> None:
    school["probes"] = probes
    with pytest.raises(ConfigError) as caught:
        load_school(write("school.yaml", school))
    problem = caught.value.problems[0]
    assert problem.key == key
    assert what in problem.what
    assert remedy in problem.remedy
