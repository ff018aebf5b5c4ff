"""Vendor files: all that ship load, every mistake is one sentence with file, line and remedy."""

import inspect
import re
from pathlib import Path

import pytest

from drivers.snmp import (
    cells,
    chassis,
    entity,
    entsensors,
    health,
    optics,
    poe,
    sensors,
    ups,
    vendorfile,
)
from drivers.snmp.ber import Oid
from drivers.snmp.vendorfile import FOLDER, fitting, load, vendor_files
from tenone.config.problems import ConfigError

HEAD = "schema_version: 1\nmaker: Test\nmatch: {object_id: [1.3.6.1.4.1.99999]}\n"
HUAWEI: Oid = (1, 3, 6, 1, 4, 1, 2011, 2, 23)


def test_all_that_ship_load() -> None:
    files = vendor_files()
    assert len(files) >= 24
    assert len({file.maker for file in files}) == len(files)
    assert [file.maker for file in files if file.match.everything] == ["RFC"]
    wanted = {"Huawei", "H3C", "Ruijie", "ZTE", "Cisco", "HPE Aruba", "APC"}
    assert wanted <= {file.maker for file in files}


def test_rows_of_one_file_have_keys_of_their_own() -> None:
    for file in vendor_files():
        told = [(row.object, row.oid, row.at, row.when) for row in file.sensors]
        assert len(set(map(repr, told))) == len(told), file.maker
        memories = [row.object for row in file.memory]
        assert not set(memories) & {row.object for row in file.sensors}, file.maker


def test_makers_are_data() -> None:
    """No module of the readers knows a maker or an enterprise number."""
    makers = {
        word.lower()
        for file in vendor_files()
        for word in file.maker.split()
        if word not in {"RFC", "Test", "FS", "Enterprise"}
    }
    modules = (cells, chassis, entity, entsensors, health, optics, poe, sensors, ups, vendorfile)
    for module in modules:
        source = inspect.getsource(module)
        code = re.sub(r'"""(?:.|\n)*?"""', "", source)
        words = set(re.findall(r"[a-z]+", code.lower()))
        # CISCO-ENTITY-SENSOR-MIB is named in a docstring only, and docstrings are cut out.
        assert not words & makers, module.__name__
        assert "1, 3, 6, 1, 4, 1, " not in code, module.__name__


@pytest.mark.parametrize(
    ("object_id", "descr", "makers"),
    [
        (HUAWEI, "", ["Huawei", "RFC"]),
        ((1, 3, 6, 1, 4, 1, 25506, 1), "", ["H3C", "RFC"]),
        ((1, 3, 6, 1, 4, 1, 2011), "", ["Huawei", "RFC"]),
        ((1, 3, 6, 1, 4, 1, 20119), "", ["RFC"]),
        ((1, 3, 6, 1, 4, 1, 8072, 3, 2, 10), "UAP-nanoHD 5.43", ["Ubiquiti", "RFC"]),
        ((1, 3, 6, 1, 4, 1, 8072, 3, 2, 10), "Linux", ["RFC"]),
        (None, "", ["RFC"]),
    ],
)
def test_which_files_hold_for_a_device(
    object_id: Oid | None, descr: str, makers: list[str]
) -> None:
    assert [file.maker for file in fitting(object_id, descr)] == makers


def test_prefix_and_text_together_must_both_fit(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(
        'schema_version: 1\nmaker: X\nmatch: {object_id: [1.3.6.1.4.1.9], descr: "small"}\n'
    )
    match = load(path).match
    assert match.fits((1, 3, 6, 1, 4, 1, 9, 1), "a small switch")
    assert not match.fits((1, 3, 6, 1, 4, 1, 9, 1), "a large switch")
    assert not match.fits((1, 3, 6, 1, 4, 1, 8, 1), "a small switch")


SENSOR = "sensors:\n  - {kind: temperature, object: heat, oid: 1.3.6.1.4.1.9.1%s}\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("maker: X\n", "'schema_version' is missing"),
        (HEAD + "sensor: []\n", "Perhaps 'sensors' was meant"),
        (HEAD + "sensors: [{kind: warmth, object: a, oid: 1.3.6.1}]\n", "Use one of state, temp"),
        (HEAD + SENSOR % ", factr: 2", "Perhaps 'factor' was meant"),
        (HEAD + SENSOR % ", states: {1: ok}", "states and kind do not agree"),
        (
            HEAD + "sensors: [{kind: state, object: a, oid: 1.3.6.1, states: {1: fine}}]\n",
            "'fine' is no health",
        ),
        (
            HEAD + "sensors: [{kind: state, object: a, oid: 1.3.6.1, states: {x: ok}}]\n",
            "is no number of a state",
        ),
        (HEAD + "sensors: [{kind: cpu, object: a, oid: 1.3.6.x}]\n", "no object identifier"),
        (HEAD + "sensors: [{kind: cpu, object: a, oid: 1.3.99999999999}]\n", "no object ident"),
        (HEAD + "sensors: [{kind: cpu, object: a b, oid: 1.3.6.1}]\n", "right form"),
        (HEAD + SENSOR % ", when: [{oid: 1.3.6.1}]", "this condition says nothing"),
        (HEAD + "memory: [{object: a, used: {oid: 1.3.6.1}}]\n", "share used cannot be found"),
        (
            HEAD + "optics: [{object: a, columns: {rx_watts: [{oid: 1.3.6.1}]}}]\n",
            "'rx_watts' is no column here",
        ),
        (
            HEAD + "poe: [{object: a, columns: {poe_status: [{oid: 1.3.6.1, values: {1: on}}]}}]\n",
            (
                "maker.yaml:4: poe[0].columns.poe_status[0].values.1: 'poe_status' cannot be 'on'. "
                "Use a number or one of disabled, searching"
            ),
        ),
        (HEAD + "ups: {volts: [{oid: 1.3.6.1}]}\n", "'volts' is no column here"),
        (HEAD + 'system: {model: [{match: "("}]}\n', "no regular expression"),
        (HEAD + "sensors: [\n", "YAML"),
    ],
)
def test_a_mistake_is_one_sentence(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "maker.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as raised:
        load(path)
    assert said in str(raised.value)
    assert str(path) in str(raised.value)


def test_the_files_lie_beside_the_code() -> None:
    assert all(path.stat().st_size for path in FOLDER.glob("*.yaml"))


def test_the_example_of_the_handbook_loads(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "add-a-switch-vendor.md").read_text()
    (example,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    path = tmp_path / "example.yaml"
    path.write_text(example)
    found = load(path)
    assert (len(found.sensors), len(found.memory), len(found.optics)) == (2, 1, 1)
