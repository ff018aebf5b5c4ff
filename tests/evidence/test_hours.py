import math
from pathlib import Path

import numpy as np

from controller.evidence.hours import HOUR_SECONDS, roll_hours
from controller.store.rollups import Rollups
from tests.evidence.world import DAY, MORNING_NS

HOUR = MORNING_NS // 10**9 // HOUR_SECONDS * HOUR_SECONDS


def put(rollups: Rollups, start: int, **ratios: float) -> None:
    links = sorted(ratios)
    columns = {
        "ratio": np.array([ratios[link] for link in links]),
        "in_octets": np.ones(len(links), np.int64),
        "out_octets": np.full(len(links), 2, np.int64),
    }
    rollups.put_means(300, "east", DAY, {start: (links, columns)})


def test_an_hour_is_made_again_and_again(tmp_path: Path) -> None:
    rollups = Rollups(tmp_path)
    rollups.start()
    put(rollups, HOUR, a=0.25, b=math.nan)
    put(rollups, HOUR + 300, a=0.75, b=math.nan)
    put(rollups, HOUR + HOUR_SECONDS, a=1.0, b=1.0)
    for ratio, mean in ((0.75, 0.5), (0.35, 0.3)):
        put(rollups, HOUR + 300, a=ratio, b=math.nan)
        assert roll_hours(rollups, "east", DAY, [HOUR, HOUR + 300], 300) == 1
        (hour,) = rollups.means(HOUR_SECONDS, (DAY, DAY), (HOUR, HOUR + 1))
        assert hour.links == ["a", "b"]
        assert math.isclose(hour.columns["ratio"][0], mean)
        assert math.isnan(hour.columns["ratio"][1])
        assert hour.columns["highest_ratio"][0] == ratio
        assert hour.columns["means"].tolist() == [2, 0]
        assert hour.columns["out_octets"].tolist() == [4, 4]
    rollups.close()
