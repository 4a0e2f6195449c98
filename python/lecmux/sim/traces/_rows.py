"""Rows of a log, one at a time: CSV, JSONL and Parquet."""

import csv
import gzip
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Protocol

from lecmux.errors import ConfigError, MissingExtraError

__all__ = ["Cells", "columns_of", "rows_of"]

Cells = tuple[Any, ...]
"""The cells of a row; None where there is none."""

_LONGEST_CELL = 2**31 - 1
_BATCH_ROWS = 4096


class _Format(Protocol):
    def columns(self, path: Path) -> list[str]: ...
    def rows(self, path: Path, columns: Sequence[str]) -> Iterator[Cells]: ...


def columns_of(path: Path) -> list[str]:
    """The names of the columns; of a JSONL file those of its first row.

    Raises:
        ConfigError: for a format that is not known, a file that is not of its format, and an empty one.
        OSError: when it cannot be read.
    """
    with _blamed(path):
        names = _format(path).columns(path)
    if not names:
        raise ConfigError(f"{path} is empty")
    return names


def rows_of(path: Path, columns: Sequence[str]) -> Iterator[Cells]:
    """The cells of each row in the order of `columns`, all of which are there (but in JSONL).

    Raises:
        ConfigError: as `columns_of`, and for a row that is broken, by its number from 1.
        OSError: when it cannot be read.
    """
    with _blamed(path):
        yield from _format(path).rows(path, columns)


def _format(path: Path) -> _Format:
    endings = [ending.lower() for ending in path.suffixes]
    packed = endings[-1:] == [".gz"]
    ending = endings[-2] if packed and len(endings) > 1 else endings[-1] if endings else ""
    if ending not in _FORMATS or (packed and ending == ".parquet"):
        known = ".csv, .csv.gz, .jsonl, .jsonl.gz or .parquet"
        raise ConfigError(f"{path}: the format is known by the ending, which must be {known}")
    return _FORMATS[ending]


@contextmanager
def _blamed(path: Path) -> Iterator[None]:
    """Names the file where it is not what its ending says."""
    try:
        yield
    except (UnicodeDecodeError, csv.Error, gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error


def _opened(path: Path) -> IO[str]:
    if path.suffix.lower() == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


class _Csv:
    def columns(self, path: Path) -> list[str]:
        with _opened(path) as lines:
            return next(csv.reader(lines), [])

    def rows(self, path: Path, columns: Sequence[str]) -> Iterator[Cells]:
        csv.field_size_limit(_LONGEST_CELL)  # a prompt may be longer than the usual 128 kB
        with _opened(path) as lines:
            reader = csv.reader(lines)
            header = next(reader, [])
            places = [header.index(name) for name in columns]
            for number, row in enumerate((row for row in reader if row), start=1):
                if len(row) != len(header):
                    raise ConfigError(
                        f"{path}, row {number} (line {reader.line_num}): "
                        f"{len(row)} cells under {len(header)} columns"
                    )
                yield tuple(row[place] or None for place in places)


class _JsonLines:
    def columns(self, path: Path) -> list[str]:
        return list(next(self._objects(path), {}))

    def rows(self, path: Path, columns: Sequence[str]) -> Iterator[Cells]:
        for row in self._objects(path):
            yield tuple(row.get(name) for name in columns)

    def _objects(self, path: Path) -> Iterator[Mapping[str, Any]]:
        with _opened(path) as lines:
            for number, line in enumerate((line for line in lines if line.strip()), start=1):
                try:
                    row = json.loads(line)
                except ValueError as error:
                    raise ConfigError(f"{path}, row {number}: no JSON: {error}") from error
                if not isinstance(row, dict):
                    raise ConfigError(f"{path}, row {number}: each line must be one JSON object")
                yield row


class _Parquet:
    def columns(self, path: Path) -> list[str]:
        with self._opened(path) as file:
            return list(file.schema_arrow.names)

    def rows(self, path: Path, columns: Sequence[str]) -> Iterator[Cells]:
        with self._opened(path) as file:
            for batch in file.iter_batches(_BATCH_ROWS, columns=list(columns)):
                yield from zip(*(batch.column(name).to_pylist() for name in columns), strict=True)

    @contextmanager
    def _opened(self, path: Path) -> Iterator[Any]:
        try:
            from pyarrow import ArrowException, parquet  # noqa: PLC0415  an extra, loaded at first use
        except ImportError as error:
            raise MissingExtraError("a log in Parquet needs: pip install 'lecmux[sim]'") from error
        try:
            with parquet.ParquetFile(path) as file:
                yield file
        except ArrowException as error:
            raise ConfigError(f"{path} cannot be read as Parquet: {error}") from error


_FORMATS: dict[str, _Format] = {".csv": _Csv(), ".jsonl": _JsonLines(), ".parquet": _Parquet()}
