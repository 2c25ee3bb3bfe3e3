"""
Tables for spreadsheets: entrants in and out, results and standings out.

Written in UTF-8 with its mark, because Excel takes a file without one for the country's old code page and spoils every
name that is not ASCII; others know the mark and skip it. Lines end in CR LF (RFC 4180).

Spreadsheets calculate cells that begin with = + - @, also after a tab or line end, and begin a new cell at whatever
character the country separates with. There an apostrophe goes before such text, and reading takes one away again, so
that what was written comes back exactly.
"""

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from apps.errors import BadRequest
from apps.tournaments.exchange import NAME_LENGTH
from apps.tournaments.exchange.decoding import decoded
from apps.tournaments.labels import words
from apps.tournaments.text import clean_line
from engine.bracket import MAX_ENTRANTS
from engine.text import Listed, Text, ngettext
from engine.text import gettext as _

MAX_RATING = 9999

Cell = str | int | float | None
Fault = dict[str, str | int]

_DELIMITERS = (",", ";", "\t")
_FORMULA = r"(?:^|(?<=[,;\t\r\n])){}(?='*[=+\-@\t\r])"
_UNGUARDED, _GUARDED = re.compile(_FORMULA.format("")), re.compile(_FORMULA.format("'"))

_UNIQUE = ("name", "seed")
_ELSEWHERE = 0  # instead of a row
_FAULTS_SHOWN = 3
_SHOWN = 20  # characters of a cell, cells of a row

# What the columns of entrants are called elsewhere.
_COLUMNS = {
    "name": ("name", "entrant", "player", "participant", "team name"),
    "seed": ("seed", "#", "no", "no."),
    "rating": ("rating", "elo"),
    "team": ("team", "club"),
}


@dataclass(frozen=True, slots=True)
class EntrantRow:
    """An entrant in a file. `seed` and `rating` are None, `team` empty where the cell is."""

    name: str
    seed: int | None = None
    rating: int | None = None
    team: str = ""


@dataclass(frozen=True, slots=True)
class ResultRow:
    """A match as it stands. Names are empty for places that wait for another match, scores None before play."""

    stage: int
    bracket: str
    group: int
    round: int
    match: int
    home: str
    away: str
    home_score: int | None
    away_score: int | None
    winner: str
    state: str


@dataclass(frozen=True, slots=True)
class StandingRow:
    """
    A row of a table; a bracket has no points, and ranks when it is over.

    `tie_breaks` are in the order of the names that `write_standings` gets.
    """

    group: int
    rank: int | None
    name: str
    played: int
    won: int
    drawn: int
    lost: int
    points: float | None
    tie_breaks: tuple[Cell, ...] = ()


@dataclass(frozen=True, slots=True)
class EntrantsFile:
    """What a file of entrants says, and the headers of the columns that mean nothing here."""

    entrants: tuple[EntrantRow, ...]
    ignored: tuple[str, ...] = ()


def read_entrants(data: bytes, *, names: Iterable[str] = (), seeds: Iterable[int] = ()) -> EntrantsFile:
    """
    Return the entrants of a file: a row of headers, of which one is "name", then a row for each entrant.

    Columns stand in any order, between commas, semicolons or tabs. At most 4,096 entrants. `names` and `seeds` are
    those that others have already.

    Raises:
        BadRequest: `errors` lists everything that is wrong as {"row", "column", "message"}. Rows count from 1, as a
            spreadsheet shows them.
    """
    table = read_table(data)
    number, header = next(table, (1, []))
    columns, ignored = _columns(number, header)
    entrants: list[EntrantRow] = []
    faults: list[Fault] = []
    row_of: dict[tuple[str, Cell], int] = {("name", name.casefold()): _ELSEWHERE for name in names}
    row_of |= {("seed", seed): _ELSEWHERE for seed in seeds}
    filled = ((number, cells) for number, cells in table if any(map(str.strip, cells)))
    for count, (number, cells) in enumerate(filled, 1):
        if count > MAX_ENTRANTS:
            raise _refusal(
                [_fault(number, "", _("There are more than {most} entrants. Leave some out.", most=MAX_ENTRANTS))]
            )
        values, wrong = _values(number, cells, columns)
        if any(cells[len(header) :]):
            wrong.append(_fault(number, "", _too_many(len(cells), len(header))))
        for column in filter(values.__contains__, _UNIQUE):
            value = values[column]
            key = column, value.casefold() if isinstance(value, str) else value
            if value is not None and row_of.setdefault(key, number) != number:
                wrong.append(_fault(number, column, _taken(column, value, row_of[key])))
        faults += wrong
        if not wrong:
            entrants.append(EntrantRow(**values))  # type: ignore[arg-type]
    if not entrants and not faults:
        faults.append(_fault(number, "", _("There are no entrants below the row of headers.")))
    if faults:
        raise _refusal(faults)
    return EntrantsFile(tuple(entrants), ignored)


def _too_many(cells: int, headers: int) -> Text:
    return _(
        "There are {cells} cells, but only {headers} headers. Put text that contains the separator in quotation marks.",
        cells=cells,
        headers=headers,
    )


def write_entrants(entrants: Iterable[EntrantRow]) -> bytes:
    """Return a file that `read_entrants` reads back."""
    return write_table([*_COLUMNS], ([row.name, row.seed, row.rating, row.team] for row in entrants))


def write_results(results: Iterable[ResultRow]) -> bytes:
    """Return one row for each match. Group 0, of stages without groups, is an empty cell."""
    return write_table(_names(ResultRow), (_cells(row) for row in results))


def write_standings(standings: Iterable[StandingRow], tie_breaks: Sequence[str] = ()) -> bytes:
    """Return one row for each entrant; the names of the tie-breaks are the last headers."""
    rows = ([*_cells(row)[:-1], *row.tie_breaks] for row in standings)
    return write_table([*_names(StandingRow)[:-1], *tie_breaks], rows)


def write_table(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """Return a file of any table. Numbers stay numbers; None is an empty cell."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow([_written(cell) for cell in header])
    writer.writerows([_written(cell) for cell in row] for row in rows)
    return out.getvalue().encode("utf-8-sig")


def read_table(data: bytes) -> Iterator[tuple[int, list[str]]]:
    """
    Yield the number and the cells of each row that is not a blank line.

    Raises:
        BadRequest: the file is no text, or its quotation marks do not match.
    """
    text = decoded(data)
    # Excel writes and obeys such a first line, and does not show it.
    told = re.match(r"sep=([,;\t])(?:\r?\n|$)", text)
    text = text[told.end() :] if told else text
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=told[1] if told else _delimiter(text), strict=True)
    number = 0
    try:
        for number, cells in enumerate(rows, 1):
            if cells:
                yield number, [_GUARDED.sub("", cell) for cell in cells]
    except csv.Error:
        message = _("A quotation mark is not closed, or text comes after one that is.")
        raise _refusal([_fault(number + 1, "", message)]) from None


def _taken(column: str, value: Cell, row: int) -> Text:
    if row == _ELSEWHERE:
        return _("The {column} {value} belongs to somebody who takes part already.", column=words(column), value=value)
    return _("The {column} {value} is also in row {row}.", column=words(column), value=value, row=row)


def _delimiter(text: str) -> str:
    """Return what separates the headers into the most cells."""

    def headers(delimiter: str) -> int:
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        try:
            return len(next(filter(None, rows), []))
        except csv.Error:
            return 0

    return max(_DELIMITERS, key=headers)


def entrant_columns(header: Sequence[str]) -> dict[str, int]:
    """Return at which index each known column of a list of entrants is; the first of two of a kind."""
    found: dict[str, int] = {}
    for index, cell in enumerate(header):
        title = " ".join(cell.split()).casefold()
        column = next((column for column, titles in _COLUMNS.items() if title in titles), None)
        if column is not None:
            found.setdefault(column, index)
    return found


def _columns(number: int, header: Sequence[str]) -> tuple[dict[str, int], tuple[str, ...]]:
    """Return at which index each column is, and the headers that mean nothing here."""
    columns: dict[str, int] = {}
    ignored = []
    for index, cell in enumerate(header):
        title = " ".join(cell.split()).casefold()
        column = next((column for column, titles in _COLUMNS.items() if title in titles), None)
        if column is None:
            ignored.append(cell)
        elif column in columns:
            raise _refusal(
                [_fault(number, column, _("There are two columns for the {column}. Remove one.", column=words(column)))]
            )
        else:
            columns[column] = index
    if "name" not in columns:
        found = Listed(f"“{cell[:_SHOWN]}”" for cell in header[:_SHOWN]) or _("nothing")
        message = _("The first row has to say which column is the “name”. It has {found}.", found=found)
        raise _refusal([_fault(number, "name", message)])
    return columns, tuple(filter(None, ignored))


def _values(number: int, cells: Sequence[str], columns: Mapping[str, int]) -> tuple[dict[str, Cell], list[Fault]]:
    values: dict[str, Cell] = {}
    wrong = []
    for column, index in columns.items():
        try:
            values[column] = _READ[column](cells[index].strip() if index < len(cells) else "")
        except BadRequest as error:
            wrong.append(_fault(number, column, error.text))
    return values, wrong


def _whole(column: str, text: str, least: int, most: int) -> int | None:
    if text and not (text.isdecimal() and len(text) <= len(str(most)) and least <= int(text) <= most):
        raise BadRequest(
            _(
                "The {column} “{text}” is not a whole number from {least} to {most}.",
                column=words(column),
                text=text[:_SHOWN],
                least=least,
                most=most,
            )
        )
    return int(text) if text else None


_READ: dict[str, Callable[[str], Cell]] = {
    "name": lambda text: clean_line("name", text, at_most=NAME_LENGTH, required=True),
    "seed": lambda text: _whole("seed", text, 1, MAX_ENTRANTS),
    "rating": lambda text: _whole("rating", text, 0, MAX_RATING),
    "team": lambda text: clean_line("team", text, at_most=NAME_LENGTH),
}


def _names(row: type[ResultRow | StandingRow]) -> list[str]:
    return [column.name for column in fields(row)]


def _cells(row: ResultRow | StandingRow) -> list[Any]:
    return [getattr(row, name) if name != "group" else row.group or None for name in _names(type(row))]


def _written(cell: Cell) -> str | int | float | None:
    if isinstance(cell, str):
        return _UNGUARDED.sub("'", cell)
    return int(cell) if isinstance(cell, float) and cell.is_integer() else cell


def _fault(row: int, column: str, message: str | Text) -> Fault:
    return {"row": row, "column": column, "message": message}


def _refusal(faults: Sequence[Fault]) -> BadRequest:
    shown = [_("Row {row}: {message}", row=fault["row"], message=fault["message"]) for fault in faults[:_FAULTS_SHOWN]]
    more = len(faults) - _FAULTS_SHOWN
    if more > 0:
        shown.append(ngettext("And {count} more.", "And {count} more.", more))
    return BadRequest(Listed(shown, " "), field="file", errors=list(faults))
