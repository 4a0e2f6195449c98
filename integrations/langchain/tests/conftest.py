"""Makes `offline_model` importable by its name from every test below."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
