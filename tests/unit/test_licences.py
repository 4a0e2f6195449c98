"""What `lecmux[all]` brings along may be used and passed on with it: the counterpart of `deny.toml`.

Packages name their licence in three ways, and few agree on the words, so each is read for what it forbids and
for what it grants.
"""

import importlib.metadata
import re
from collections.abc import Iterator

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

# Ask for their text at most; MPL-2.0 for changes to its own files, which nobody here makes.
GRANTED = re.compile(
    r"\b(MIT|Apache|BSD|0BSD|ISC|PSF|PSFL|Python Software Foundation|Zlib|Unlicense|MPL-2\.0|Mozilla)\b"
)
FORBIDDEN = re.compile(
    r"(GPL|General Public|SSPL|Server Side Public|BUSL|Commons Clause|Proprietary|CC-BY-NC)"
)


def _brought(name: str, extras: frozenset[str], seen: set[tuple[str, frozenset[str]]]) -> Iterator[str]:
    """Names of the packages that `name[extras]` needs here, itself included."""
    if (name, extras) in seen:
        return
    seen.add((name, extras))
    yield name
    try:
        needs = importlib.metadata.requires(name) or []
    except importlib.metadata.PackageNotFoundError:
        return
    for line in needs:
        need = Requirement(line)
        if need.marker and not any(need.marker.evaluate({"extra": extra}) for extra in extras | {""}):
            continue
        yield from _brought(canonicalize_name(need.name), frozenset(need.extras), seen)


def _stated(name: str) -> str:
    """The licence that `name` states: as an expression, as a classifier, or in a line of its own."""
    about = importlib.metadata.metadata(name)
    if expression := about.get("License-Expression"):
        return expression
    classifiers = [line for line in about.get_all("Classifier") or [] if line.startswith("License ::")]
    line, *_ = [*(about.get("License") or "").splitlines(), ""]
    return " / ".join([*classifiers, line])


NAMES = sorted(set(_brought("lecmux", frozenset({"all"}), set())))


@pytest.mark.parametrize("name", NAMES)
def test_the_licence_lets_users_pass_it_on(name: str) -> None:
    try:
        stated = _stated(name)
    except importlib.metadata.PackageNotFoundError:
        pytest.skip(f"{name} is not installed: `make test` installs all of it")

    assert GRANTED.search(stated), f"{name} states {stated!r}: read it, and name it here or drop the package"
    assert not FORBIDDEN.search(stated), f"{name} states {stated!r}"


def test_a_copyleft_licence_would_be_seen() -> None:
    assert FORBIDDEN.search("License :: OSI Approved :: GNU General Public License v3 (GPLv3)")
    assert FORBIDDEN.search("LGPL-3.0-or-later")
    assert not GRANTED.search("LicenseRef-Proprietary")
