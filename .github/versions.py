"""Fails unless the distributions, the crates and CHANGELOG.md all have the version that is given."""

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def versions() -> dict[str, str]:
    """The version that each file states, by its path."""
    stated = {
        "Cargo.toml": tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]["version"]
    }
    for path in sorted(ROOT.glob("integrations/*/pyproject.toml")):
        stated[str(path.relative_to(ROOT))] = tomllib.loads(path.read_text())["project"]["version"]
    return stated


def main(version: str) -> int:
    """Prints what does not fit `version`; how many that were."""
    wrong = [f"{path} says {stated}" for path, stated in versions().items() if stated != version]
    if not re.search(rf"^## {re.escape(version)}\b", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE):
        wrong.append(f"CHANGELOG.md has no heading {version}")
    print("\n".join(wrong) or f"all say {version}")
    return len(wrong)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
