"""Whether what our reader delivers is what the switches of ``tenone bench poll`` say."""

import time

import numpy as np

from drivers.snmp.switch import Sweep
from tenone.blocks.columns import Column
from tenone.cli.bench_rivals import Score
from tenone.cli.bench_switches import MOVING, PORTS, Load, expected, rate

EVERY = 8
"""Of sweeps with moving counters so many are looked at closely only once: to look costs as much
as a tenth of the sweep."""


class Truth:
    """Compares columns, bytes and validity alike."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._columns = {name: Column.of(name, values) for name, values in expected().items()}
        self._moving = MOVING if load.kind.moving else frozenset[str]()
        self._rates = {
            name: np.array([rate(name, port) for port in range(1, PORTS + 1)]) for name in MOVING
        }
        self._first = {name: np.array(expected()[name], dtype=np.uint64) for name in MOVING}

    def check(self, score: Score, *sweeps: Sweep) -> None:
        """Count one sweep, its values and those that are wrong."""
        score.sweeps += 1
        closely = score.sweeps % EVERY == 0
        for sweep in sweeps:
            if sweep.errors or len(sweep.rows) != PORTS:
                score.wrong += 1
            for column in sweep.columns:
                told = self._columns.get(column.metric.name)
                if told is None:
                    continue
                score.values += PORTS
                if column.metric.name in self._moving:
                    if column.validity != told.validity or len(column.data) != len(told.data):
                        score.wrong += PORTS
                    elif closely:
                        score.wrong += self._off_the_way(column)
                elif column.data != told.data or column.validity != told.validity:
                    score.wrong += sum(mine != his for mine, his in zip(column, told, strict=True))

    def _off_the_way(self, column: Column) -> int:
        name = column.metric.name
        seconds = time.monotonic() - self._load.started
        values = np.frombuffer(column.data, dtype=np.uint64)
        first = self._first[name]
        last = first + (self._rates[name] * seconds).astype(np.uint64)
        return int(np.count_nonzero((values < first) | (values > last)))
