"""What the figures were measured on."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_CPU = Path("/proc/cpuinfo")
_MEMORY = Path("/proc/meminfo")
PACKAGES = (
    "lecmux",
    "cachebox",
    "cachetools",
    "faiss-cpu",
    "hnswlib",
    "langchain-core",
    "llama-index-core",
    "lru-dict",
    "moka-py",
    "theine",
    "usearch",
)


def describe() -> dict[str, str]:
    """Processor and its flags, memory, load, interpreter and versions of the competitors."""
    cpu = _fields(_CPU)
    return {
        "cpu": cpu.get("model name", platform.processor() or platform.machine()),
        "cores": str(os.cpu_count()),
        "memory": _fields(_MEMORY).get("MemTotal", "unknown"),
        "load average at start": " ".join(f"{load:.1f}" for load in os.getloadavg()),
        "system": f"{platform.system()} {platform.release()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "versions": ", ".join(f"{name} {_version(name)}" for name in PACKAGES),
        "cpu flags": cpu.get("flags", cpu.get("Features", "unknown")),
    }


def _fields(path: Path) -> dict[str, str]:
    """`name: value` lines; of the first processor where there are several."""
    if not path.exists():
        return {}
    found: dict[str, str] = {}
    for line in path.read_text().splitlines():
        name, colon, value = line.partition(":")
        if colon:
            found.setdefault(name.strip(), value.strip())
    return found


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
