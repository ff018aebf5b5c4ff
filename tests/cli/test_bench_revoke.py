"""``tenone bench revoke``, small: it measures real cuts, and shows what a list alone does not."""

import json
import shutil
import subprocess
import sys

import pytest

from drivers.wire.mosquitto_conf import PLUGIN


@pytest.mark.slow
def test_all_are_cut_and_a_list_alone_cuts_nobody() -> None:
    if shutil.which("mosquitto", path="/usr/sbin:/usr/bin") is None or not PLUGIN.exists():
        pytest.skip("mosquitto is missing: sudo apt-get install mosquitto")
    done = subprocess.run(
        [sys.executable, "-m", "tenone.cli", "bench", "revoke", "--sessions", "12",
         "--one-by-one", "5"],
        capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    body = json.loads(done.stdout)
    assert (body["sessions"], body["still_connected"]) == (12, 0)
    assert body["revoked_one_by_one"]["count"] == 5
    assert body["revoked_at_once"]["count"] == 7
    alone = body["list_alone"]
    assert not alone["cut"]
    assert alone["new_connection_refused"]
    assert alone["acknowledged"] == alone["published"] > 0
