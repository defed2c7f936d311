"""Lets the tests do without a proxy: what the filter imports from it comes from the folder proxy.

What is there beyond the contract is for tests, to set before or to look at afterwards.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "proxy"))
