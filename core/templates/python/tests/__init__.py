"""Lets the tests do without a proxy: what the filter imports from it comes from the folder proxy.

Only a few of the interfaces are there; another is soon written, its functions stand in wit/deps/portcullis-filter/filter.wit.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "proxy"))
