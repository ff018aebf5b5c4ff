"""How hard properties are tried: a few examples by default, all of them where TENONE_EXAMPLES=full.

`./run test --all` asks for all. What a test says itself (``max_examples``) stands in both.
"""

import os

from hypothesis import settings

# A slow machine is no failure, so there is no deadline.
settings.register_profile("few", deadline=None, max_examples=25)
settings.register_profile("full", deadline=None, max_examples=100)
settings.load_profile(os.environ.get("TENONE_EXAMPLES", "few"))
