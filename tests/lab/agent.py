"""``tenone`` as it is, but for one thing: the lab answers for the machine's clock.

An agent refuses approvals where the kernel does not call its clock synchronised, and a virtual
machine without NTP says so. City and agent of the lab run on one clock, so it is right by
definition. Nothing else is changed.
"""

import agents.origin
from tenone.vocabulary.states import ClockQuality

agents.origin.clock_quality = lambda: ClockQuality.SYNCHRONISED

from tenone.cli.main import run  # noqa: E402 - whoever imports the function must find this one

if __name__ == "__main__":
    run()
