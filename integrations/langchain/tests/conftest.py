"""Makes `offline_model` and `answers` importable by their names from every test below."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
