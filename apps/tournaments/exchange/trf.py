"""
The Tournament Report File of FIDE: what pairing engines, rating officers and chess programs exchange.

Source: FIDE Handbook C.04 Annex 2, "TRF16". Columns here count from 1 and include both ends, as they do there. From
its successor TRF26 come the lines 142 (number of rounds) and 162 (what a result is worth), which older readers skip;
from JaVaFo, whose engine many programs imitate, XXR (number of rounds). Every other line is kept as it is.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import NamedTuple

from apps.errors import BadRequest
from apps.tournaments.exchange.decoding import decoded
from apps.tournaments.labels import words
from engine.bracket import MAX_ENTRANTS
from engine.results import Points
from engine.text import Text
from engine.text import gettext as _

NAME_WIDTH = 33
USUAL_POINTS = Points(win=1, draw=0.5, loss=0, bye=1)

# Results against an opponent ("": paired, not played yet) and without one.
PAIRED = ("1", "=", "0", "+", "-", "W", "D", "L", "")
UNPAIRED = ("U", "F", "H", "Z", "+", "=", "-")


@dataclass(frozen=True, slots=True)
class TrfRound:
    """
    One round of one player.

    `colour`: "w", "b" or "-". `result`, of a game: 1 = 0; + - by forfeit; W D L not rated, over before the first move
    of Black; "" not played yet. Without an opponent: U bye from the pairing, F full-point bye, H half-point bye,
    Z absent; older files have + = - in their place.
    """

    opponent: int | None = None
    colour: str = "-"
    result: str = "Z"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrfPlayer:
    """One line 001. `number` is the starting rank, `rank` the place in the standings (0: not stated)."""

    number: int
    name: str
    sex: str = ""
    title: str = ""
    rating: int = 0
    federation: str = ""
    fide_id: str = ""
    born: str = ""
    points: float = 0
    rank: int = 0
    rounds: tuple[TrfRound, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TrfTournament:
    """
    A whole file.

    All players have as many rounds as the longest line has. `rounds` is how many are planned (0: not stated), `scoring`
    None when the file does not say what a result is worth. `other_lines` are written back as they were read.
    """

    name: str = ""
    city: str = ""
    federation: str = ""
    starts: date | None = None
    ends: date | None = None
    kind: str = ""
    rounds: int = 0
    scoring: Points | None = None
    players: tuple[TrfPlayer, ...] = ()
    other_lines: tuple[str, ...] = ()


class _Column(NamedTuple):
    field: str
    first: int
    last: int
    read: Callable[[str], object] = str


def _number(text: str) -> int:
    if text and not text.isdecimal():
        raise ValueError(text)
    return int(text or 0)


def _points(text: str) -> float:
    if text and not re.fullmatch(r"-?\d*[.,]?\d+", text):
        raise ValueError(text)
    return float(text.replace(",", ".") or 0)


def _label(column: _Column) -> Text:
    return words(column.field)


_COLUMNS = (
    _Column("number", 5, 8, _number),
    _Column("sex", 10, 10),
    _Column("title", 11, 13),
    _Column("name", 15, 47),
    _Column("rating", 49, 52, _number),
    _Column("federation", 54, 56),
    _Column("fide_id", 58, 68),
    _Column("born", 70, 79),
    _Column("points", 80, 84, _points),  # TRF16 begins at 81; programs that have to write 100.0 begin one earlier
    _Column("rank", 86, 89, _number),
)
_POINTS_WIDTH = 4
_FIRST_ROUND, _ROUND_WIDTH = 90, 10  # two blanks, then opponent, blank, colour, blank, result

_HEADER = {"012": "name", "022": "city", "032": "federation", "092": "kind"}
_DATES = {"042": "starts", "052": "ends"}
_ROUNDS, _ROUNDS_WIDTH = ("XXR", "142"), 3
_COUNTS = ("062", "072", "082")  # written from the players; other programs are often wrong, so not read


def read_trf(data: bytes) -> TrfTournament:
    """
    Return what a file says: in UTF-8 or a Windows encoding, with any line ends, with blanks missing at line ends.

    Raises:
        BadRequest: with `field` and `line`: columns that cannot be read, no players, or two lines that contradict each
            other about who met whom.
    """
    header: dict[str, object] = {}
    players: dict[int, TrfPlayer] = {}
    line_of: dict[int, int] = {}
    others: list[str] = []
    for number, line in _lines(data):
        if line.startswith("001"):
            player = _player(number, line)
            if player.number in players:
                raise _error(
                    number,
                    _(
                        "Player {number} was already in line {line}.",
                        number=player.number,
                        line=line_of[player.number],
                    ),
                )
            players[player.number], line_of[player.number] = player, number
        elif not _read_header(header, line):
            others.append(line)
    if not players:
        message = _("The file has no players: no line begins with 001. Is it a tournament report file (TRF)?")
        raise BadRequest(message, field="file")
    if len(players) > MAX_ENTRANTS:
        raise BadRequest(
            _("The file has {count} players; at most {most} can play.", count=len(players), most=MAX_ENTRANTS),
            field="file",
        )
    _check_pairs(players, line_of)
    return TrfTournament(**header, players=_evened(list(players.values())), other_lines=tuple(others))  # type: ignore[arg-type]


def write_trf(tournament: TrfTournament) -> bytes:
    """
    Return the file in UTF-8, players in the given order. `read_trf` gives back the same.

    Raises:
        BadRequest: a value is wider than its columns.
    """
    texts = ((code, getattr(tournament, field)) for code, field in _HEADER.items())
    lines = [f"{code} {' '.join(text.split())}" for code, text in texts if text]
    days = ((code, getattr(tournament, field)) for code, field in _DATES.items())
    lines += [f"{code} {day.year:04}/{day.month:02}/{day.day:02}" for code, day in days if day]
    lines.append(f"062 {len(tournament.players)}")
    lines.append(f"072 {sum(player.rating > 0 for player in tournament.players)}")
    if tournament.rounds:
        lines.append(f"XXR {tournament.rounds}")
    if (scoring := tournament.scoring) is not None:
        worth = {"W": scoring.win, "D": scoring.draw, "L": scoring.loss, "P": scoring.bye}
        lines.append("162  " + "    ".join(f"{symbol}{_decimal(value):>4}" for symbol, value in worth.items()))
    lines += tournament.other_lines
    lines += [_player_line(player) for player in tournament.players]
    return "".join(f"{line}\r\n" for line in lines).encode()


def _error(line: int, message: Text) -> BadRequest:
    return BadRequest(_("Line {line}: {message}", line=line, message=message), field="file", line=line)


def _lines(data: bytes) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(re.split(r"\r\n|\r|\n", decoded(data)), 1):
        if text := line.rstrip():
            yield number, text


def _read_header(header: dict[str, object], line: str) -> bool:
    """Put what a line says into `header`, and return whether it was understood."""
    code, value = line[:3], " ".join(line[4:].split())
    if code in _HEADER and value and _HEADER[code] not in header:
        header[_HEADER[code]] = value
    elif code in _ROUNDS and value.isdecimal() and len(value) <= _ROUNDS_WIDTH:
        header["rounds"] = int(value)
    elif code == "162" and (scoring := _scoring(line)):
        header["scoring"] = scoring
    elif code in _DATES and (day := _day(value)):
        header[_DATES[code]] = day
    else:
        return code in _COUNTS
    return True


def _player(number: int, line: str) -> TrfPlayer:
    values = {}
    for column in _COLUMNS:
        text = " ".join(line[column.first - 1 : column.last].split())
        try:
            values[column.field] = column.read(text)
        except ValueError:
            message = _(
                "The {label} (columns {first}–{last}) is “{text}”, not a number. Move every value to its own columns.",
                label=_label(column),
                first=column.first,
                last=column.last,
                text=text,
            )
            raise _error(number, message) from None
    if not values["number"] or not values["name"]:
        raise _error(number, _("A player needs a starting number in columns 5–8 and a name in columns 15–47."))
    blocks = range(_FIRST_ROUND - 1, len(line), _ROUND_WIDTH)
    rounds = (_round(number, i, line[start : start + _ROUND_WIDTH]) for i, start in enumerate(blocks, 1))
    return TrfPlayer(**values, rounds=tuple(rounds))  # type: ignore[arg-type]


def _round(number: int, round_: int, block: str) -> TrfRound:
    before, opponent, after, colour, between, result = (
        block[start:end].strip() for start, end in ((0, 2), (2, 6), (6, 7), (7, 8), (8, 9), (9, 10))
    )
    if before or after or between or not (opponent.isdecimal() or not opponent):
        first = _FIRST_ROUND + 2 + (round_ - 1) * _ROUND_WIDTH
        raise _error(
            number,
            _(
                "Round {round} is not an opponent, a colour and a result in columns {first}–{last}: “{block}”.",
                round=round_,
                first=first,
                last=first + 7,
                block=block.strip(),
            ),
        )
    against = int(opponent) if opponent else 0
    colour, result = colour.lower() or "-", result.upper() or ("" if against else "Z")
    if colour not in ("w", "b", "-"):
        raise _error(
            number, _("Round {round} has the colour “{colour}”; it has to be w, b or -.", round=round_, colour=colour)
        )
    known = PAIRED if against else UNPAIRED
    if result not in known:
        against_whom = _("against player {number}", number=against) if against else _("without an opponent")
        raise _error(
            number,
            _(
                "Round {round} has the result “{result}” {against_whom}; it has to be one of {results}.",
                round=round_,
                result=result,
                against_whom=against_whom,
                results=" ".join(filter(None, known)),
            ),
        )
    return TrfRound(against or None, colour, result)


def _check_pairs(players: dict[int, TrfPlayer], line_of: dict[int, int]) -> None:
    for player in players.values():
        line = line_of[player.number]
        for i, mine in enumerate(player.rounds):
            if mine.opponent is None:
                continue
            other = players.get(mine.opponent)
            if other is None or other is player:
                raise _error(
                    line,
                    _(
                        "Round {round} is against player {opponent}, who is no other player of this file.",
                        round=i + 1,
                        opponent=mine.opponent,
                    ),
                )
            theirs = other.rounds[i] if i < len(other.rounds) else TrfRound()
            if theirs.opponent != player.number or (mine.colour == theirs.colour != "-"):
                message = _(
                    "Round {round} is against player {opponent} with colour {colour}, but line {line} has {theirs} "
                    "with colour {their_colour}. Correct one of the two.",
                    round=i + 1,
                    opponent=mine.opponent,
                    colour=mine.colour,
                    line=line_of[other.number],
                    theirs=theirs.opponent or _("nobody"),
                    their_colour=theirs.colour,
                )
                raise _error(line, message)


def _evened(players: list[TrfPlayer]) -> tuple[TrfPlayer, ...]:
    longest = max(len(player.rounds) for player in players)
    return tuple(
        replace(player, rounds=player.rounds + (TrfRound(),) * (longest - len(player.rounds))) for player in players
    )


def _day(text: str) -> date | None:
    """Return the day of year/month/day or day/month/year, with any of / . - between them; None if it is neither."""
    year_first = re.match(r"(\d{4})[/.-](\d{1,2})[/.-](\d{1,2})\b", text)
    day_first = re.match(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})\b", text)
    found = year_first or day_first
    if found is None:
        return None
    year, month, day = found.groups() if year_first else reversed(found.groups())
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def _scoring(line: str) -> Points | None:
    """Return what line 162 says: a symbol in column 6 and its worth in columns 7–10, and so on every 9 columns."""
    worth: dict[str, float] = {}
    for start in range(5, len(line), 9):
        try:
            worth[line[start].upper()] = _points(line[start + 1 : start + 5].strip())
        except ValueError:
            return None
    win = worth.get("W", USUAL_POINTS.win)
    return Points(win, worth.get("D", USUAL_POINTS.draw), worth.get("L", USUAL_POINTS.loss), worth.get("P", win))


def _decimal(value: float) -> str:
    text = f"{value:.1f}"
    if len(text) > _POINTS_WIDTH:
        text = f"{value:g}"
    if float(text) != value or len(text) > _POINTS_WIDTH:
        raise BadRequest(
            _("A TRF has no room for {value} points, only for numbers like 11.5 and 117.", value=value), field="points"
        )
    return text


def _player_line(player: TrfPlayer) -> str:
    right = {
        "number": str(player.number),
        "title": player.title,
        "rating": str(player.rating or ""),
        "fide_id": player.fide_id,
        "points": _decimal(player.points),
        "rank": str(player.rank or ""),
    }
    line = "001"
    for column in _COLUMNS:
        width = column.last - column.first + 1
        text = right[column.field].rjust(width) if column.field in right else str(getattr(player, column.field))
        text = " ".join(text.split()) if column.field == "name" else text
        if len(text) > width:
            message = _(
                "The {label} “{text}” of player {number} has {count} characters; a TRF has room for {width}.",
                label=_label(column),
                text=text.strip(),
                number=player.number,
                count=len(text),
                width=width,
            )
            raise BadRequest(message, field=column.field)
        line = line.ljust(column.first - 1) + text
    blocks = (f"  {_opponent(r):>4} {r.colour} {r.result or ' '}" for r in player.rounds)
    return (line.ljust(_FIRST_ROUND - 1) + "".join(blocks)).rstrip()


def _opponent(round_: TrfRound) -> str:
    return "0000" if round_.opponent is None else str(round_.opponent)
