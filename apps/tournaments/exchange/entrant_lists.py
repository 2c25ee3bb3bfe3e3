"""
A list of entrants as people paste it: names on lines, with bullets or numbers before them, or cells of a table.

Lenient where a file (csv_files) is strict, because it is shown to the person before it counts: every line is read, and
what is wrong is said beside it.
"""

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass

from apps.errors import BadRequest
from apps.tournaments.exchange import NAME_LENGTH
from apps.tournaments.exchange.csv_files import EntrantRow, entrant_columns
from apps.tournaments.text import clean_line
from engine.bracket import MAX_ENTRANTS
from engine.text import gettext as _

MAX_CHARACTERS = 400_000
_NUMBERED = re.compile(r"\s*(\d{1,4})\s*[.):]\s+(.*\S)\s*")
_BULLET = re.compile(r"\s*[-*•–]\s+(.*\S)\s*")
_DELIMITERS = ("\t", ";", ",")


@dataclass(frozen=True, slots=True)
class ReadLine:
    """What one line says. `problem` is a code for why nobody is entered by it, "" when somebody is."""

    line: int
    name: str
    seed: int | None = None
    problem: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class EntrantList:
    """`kind`: "names", "numbered" (the numbers are seeds) or "table". `ignored`: columns that mean nothing here."""

    kind: str
    lines: tuple[ReadLine, ...]
    ignored: tuple[str, ...] = ()

    @property
    def entrants(self) -> tuple[EntrantRow, ...]:
        return tuple(EntrantRow(line.name, line.seed) for line in self.lines if not line.problem)

    @property
    def problems(self) -> tuple[ReadLine, ...]:
        return tuple(line for line in self.lines if line.problem)


def read_list(text: str, *, names: Iterable[str] = (), seeds: Iterable[int] = ()) -> EntrantList:
    """
    Return what a pasted list says. `names` and `seeds` are those that others have already.

    Problems: "name" (see `detail`), "twice" (in this list), "taken" (somebody takes part under it), "seed_twice",
    "seed_taken", "many" (more than a tournament can have).

    Raises:
        BadRequest: it is longer than anybody's list.
    """
    if len(text) > MAX_CHARACTERS:
        raise BadRequest(_("This is too long for a list of entrants."), field="list")
    numbered = [(number, line) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]
    kind, rows, ignored = _rows(numbered)
    seeds = set(seeds)
    if kind == "numbered" and seeds:  # a list that goes on after another begins again at 1
        rows = [(line, name, "") for line, name, _number in rows]
    return EntrantList(kind, tuple(_checked(rows, names, seeds)), ignored)


Row = tuple[int, str, str]  # line, name, seed


def _rows(lines: list[tuple[int, str]]) -> tuple[str, list[Row], tuple[str, ...]]:
    delimiter = _delimiter([line for _, line in lines])
    if delimiter:
        return _table(lines, delimiter)
    with_number = [_NUMBERED.fullmatch(line) for _, line in lines]
    if lines and all(with_number):
        return (
            "numbered",
            [(n, found[2], found[1]) for (n, _), found in zip(lines, with_number, strict=True) if found],
            (),
        )
    bare = []
    for number, line in lines:
        found = _BULLET.fullmatch(line)
        bare.append((number, found[1] if found else line, ""))
    return "names", bare, ()


def _delimiter(lines: list[str]) -> str:
    """Return what separates cells: a first line that names a column, or the same number of cells on every line."""
    for delimiter in _DELIMITERS:
        cells = [len(_cells(line, delimiter)) for line in lines]
        if not cells or max(cells) < 2:  # noqa: PLR2004 - one cell is no table
            continue
        if "name" in entrant_columns(_cells(lines[0], delimiter)):
            return delimiter
        if delimiter == "\t" or (len(set(cells)) == 1 and _numbers(lines, delimiter)):
            return delimiter
    return "" if not lines or "name" not in entrant_columns([lines[0]]) else ","


def _numbers(lines: list[str], delimiter: str) -> bool:
    """Return whether one column is all numbers, so that a comma is none within names: "Doe, John"."""
    columns = zip(*(_cells(line, delimiter) for line in lines), strict=False)
    return any(all(cell.strip().isdecimal() for cell in column) for column in columns)


def _table(lines: list[tuple[int, str]], delimiter: str) -> tuple[str, list[Row], tuple[str, ...]]:
    table = [(number, _cells(line, delimiter)) for number, line in lines]
    header = table[0][1]
    columns = entrant_columns(header)
    ignored: tuple[str, ...] = ()
    if "name" in columns:
        table = table[1:]
        ignored = tuple(
            cell.strip() for index, cell in enumerate(header) if cell.strip() and index not in columns.values()
        )
    else:
        seed = next((i for i in range(len(header)) if all(_at(cells, i).isdecimal() for _, cells in table)), None)
        columns = {"name": 0 if seed != 0 else 1} | ({} if seed is None else {"seed": seed})
    rows = [(number, _at(cells, columns["name"]), _at(cells, columns.get("seed", -1))) for number, cells in table]
    return "table", rows, ignored


def _cells(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return [line]


def _at(cells: list[str], index: int) -> str:
    return cells[index].strip() if 0 <= index < len(cells) else ""


def _checked(rows: list[Row], names: Iterable[str], seeds: Iterable[int]) -> Iterable[ReadLine]:
    known_names = {name.casefold() for name in names}
    known_seeds = set(seeds)
    seen_names: set[str] = set()
    seen_seeds: set[int] = set()
    for count, (line, text, number) in enumerate(rows, start=1):
        seed = int(number) if number.isdecimal() and 1 <= int(number[:6]) <= MAX_ENTRANTS else None
        try:
            name = clean_line("name", text, at_most=NAME_LENGTH, required=True)
        except BadRequest as error:
            yield ReadLine(line, text[:NAME_LENGTH], problem="name", detail=error.message)
            continue
        problem = ""
        if count > MAX_ENTRANTS:
            problem = "many"
        elif name.casefold() in known_names:
            problem = "taken"
        elif name.casefold() in seen_names:
            problem = "twice"
        elif seed is not None and seed in known_seeds:
            problem = "seed_taken"
        elif seed is not None and seed in seen_seeds:
            problem = "seed_twice"
        if not problem:
            seen_names.add(name.casefold())
            seen_seeds |= {seed} if seed is not None else set()
        yield ReadLine(line, name, seed, problem)
