"""
Brackets of brackets-manager.js: what its `export()` gives, as JSON.

The importer plays the same bracket again in our own engine. So a stage is read as the order of seeds that puts everyone
where the file has them in the first round, and its matches as pairs with results.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from apps.errors import BadRequest
from apps.tournaments.exchange.brackets_tables import Match, Opponent, Stage, Tables
from engine.bracket import Bracket, Side
from engine.seeding import bracket_order
from engine.stages import Format, StageSettings, best_of_in, last_rounds
from engine.text import Listed, Text, gettext_noop
from engine.text import gettext as _


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedMatch:
    """
    A match between two entrants by name; None waits for an earlier match. Matches with a bye are left out.

    `bracket`, `group` and `round` are as in engine.bracket.PlannedMatch; `position` is the file's, in which byes count.
    `winner` is None before a decision, for a draw (leagues only), and when both forfeited.
    """

    bracket: Bracket
    group: int
    round: int
    position: int
    home: str | None
    away: str | None
    best_of: int = 1
    home_score: int | None = None
    away_score: int | None = None
    decided: bool = False
    winner: Side | None = None
    forfeit: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedStage:
    """
    A stage. `seeding`: names, best first; in an elimination, our bracket of this order has the file's first round.

    `groups`: names by group, best first; empty in an elimination.
    """

    name: str
    number: int
    format: Format
    settings: StageSettings
    seeding: tuple[str, ...]
    groups: tuple[tuple[str, ...], ...]
    matches: tuple[ImportedMatch, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedBrackets:
    """
    Everything in a file. `name` is the first stage's: the format has none for a tournament.

    `participants` are all in the file, also those in no match of any stage, such as the only one of a group.
    """

    name: str
    participants: tuple[str, ...]
    stages: tuple[ImportedStage, ...]


_FORMATS = (Format.SINGLE_ELIMINATION, Format.DOUBLE_ELIMINATION, Format.ROUND_ROBIN)
_BRACKETS = {
    Format.SINGLE_ELIMINATION: {1: Bracket.MAIN, 2: Bracket.THIRD_PLACE},
    Format.DOUBLE_ELIMINATION: {1: Bracket.MAIN, 2: Bracket.LOWER, 3: Bracket.GRAND_FINAL},
}


def read_brackets(data: bytes) -> ImportedBrackets:
    """
    Return what a file says; its tables may be named in the singular or the plural.

    Raises:
        BadRequest: it is no such file, or plays in a way that our engine does not; the sentence says what to change.
    """
    tables = Tables(data)
    if not tables.stages:
        raise BadRequest(_("The file has no stage. Export the whole database of the tournament."), field="file")
    return ImportedBrackets(
        name=tables.stages[0].name,
        participants=tuple(tables.names.values()),
        stages=tuple(_stage(tables, stage) for stage in tables.stages),
    )


def _stage(tables: Tables, stage: Stage) -> ImportedStage:
    settings = _settings(stage)
    format_ = Format(stage.type)
    rows = [(_place(tables, stage, row), row) for row in tables.matches_of(stage)]
    order = list(Bracket)
    rows.sort(key=lambda placed: (order.index(placed[0][0]), placed[0][1:]))
    matches = [_match(tables, stage, place, row) for place, row in rows if row.opponent1 and row.opponent2]
    groups: tuple[tuple[str, ...], ...] = ()
    if format_ is Format.ROUND_ROBIN:
        seeding, groups = _pools(tables, stage, rows)
        settings = replace(settings, groups=len(groups))
    else:
        first_round = [row for place, row in rows if place[:3] == (Bracket.MAIN, 0, 1)]
        seeding = _seeding(tables, stage, first_round)
        matches = _without_idle_reset(stage, matches)
    return ImportedStage(
        name=stage.name,
        number=stage.number,
        format=format_,
        settings=_with_lengths(stage, settings, matches),
        seeding=seeding,
        groups=groups,
        matches=tuple(matches),
    )


def _refusal(stage: Stage, message: Text) -> BadRequest:
    said = _("Stage “{stage}”: {message}", stage=stage.name or stage.number, message=message)
    return BadRequest(said, field="file", stage=stage.number)


def _settings(stage: Stage) -> StageSettings:
    told = stage.settings
    if stage.type not in _FORMATS:
        raise _refusal(stage, _("Its type “{type}” is none of {names}.", type=stage.type, names=Listed(_FORMATS)))
    if stage.type == Format.DOUBLE_ELIMINATION:
        if told.skip_first_round:
            raise _refusal(stage, _("Half of the field begins in the lower bracket (skipFirstRound), which we do not."))
        if told.consolation_final:
            raise _refusal(stage, _("It has a consolation final, which we play in single eliminations only."))
        if told.grand_final not in ("simple", "double"):
            raise _refusal(stage, _("It has no grand final; set grandFinal to “simple” or “double”."))
    return StageSettings(
        third_place_match=bool(told.consolation_final),
        grand_final_reset=told.grand_final == "double",
        legs=2 if told.round_robin_mode == "double" else 1,
    )


_Place = tuple[Bracket, int, int, int]


def _place(tables: Tables, stage: Stage, row: Match) -> _Place:
    """Return bracket, group, round and position."""
    group, round_ = tables.group(row), tables.round(row)
    if stage.type == Format.ROUND_ROBIN:
        return Bracket.MAIN, group, round_, row.number
    bracket = _BRACKETS[Format(stage.type)].get(group)
    if bracket is None:
        raise _refusal(stage, _("It has a match in group {group}, which its type has not.", group=group))
    return bracket, 0, round_, row.number


def _match(tables: Tables, stage: Stage, place: _Place, row: Match) -> ImportedMatch:
    bracket, group, round_, position = place
    home, away = row.opponent1 or Opponent(), row.opponent2 or Opponent()
    names = [tables.name(opponent) or _("nobody yet") for opponent in (home, away)]
    where = _("The match of {home} and {away} in round {round}", home=names[0], away=names[1], round=round_)
    home_won, away_won = _beats(home, away), _beats(away, home)
    drawn = home.result == away.result == "draw"
    both_out = bool(home.forfeit and away.forfeit)
    if home_won and away_won:
        raise _refusal(stage, _("{where} has two winners. Correct the result of one.", where=where))
    if drawn and stage.type != Format.ROUND_ROBIN:
        raise _refusal(stage, _("{where} is drawn, so nobody can go on. Name a winner.", where=where))
    decided = home_won or away_won or drawn or both_out
    if decided and None in (home.id, away.id):
        raise _refusal(stage, _("{where} is decided before its pair is known. Reset it.", where=where))
    return ImportedMatch(
        bracket=bracket,
        group=group,
        round=round_,
        position=position,
        home=tables.name(home),
        away=tables.name(away),
        best_of=row.child_count or 1,
        home_score=home.score,
        away_score=away.score,
        decided=decided,
        winner=Side.HOME if home_won else Side.AWAY if away_won else None,
        forfeit=bool(home.forfeit or away.forfeit),
    )


def _beats(one: Opponent, other: Opponent) -> bool:
    return one.result == "win" or other.result == "loss" or bool(other.forfeit and not one.forfeit)


def _without_idle_reset(stage: Stage, matches: list[ImportedMatch]) -> list[ImportedMatch]:
    """Leave the reset out when the first grand final was won by the entrant of the upper bracket, who is at home."""
    finals = [match for match in matches if match.bracket is Bracket.GRAND_FINAL]
    if not finals or finals[0].winner is not Side.HOME:
        return matches
    if any(reset.decided for reset in finals[1:]):
        raise _refusal(
            stage, _("{home} won the grand final, yet the reset was played. Clear one of the two.", home=finals[0].home)
        )
    return [match for match in matches if match.bracket is not Bracket.GRAND_FINAL] + finals[:1]


def _pools(
    tables: Tables, stage: Stage, rows: Iterable[tuple[_Place, Match]]
) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Return everyone, and everyone by group, both in the order of their positions, which are seeds."""
    seeds: dict[str, tuple[int, int]] = {}
    group_of: dict[str, int] = {}
    for (_bracket, group, _round, _position), row in rows:
        for opponent in filter(None, (row.opponent1, row.opponent2)):
            if (name := tables.name(opponent)) is not None:
                # Without a position, in the order in which they play.
                seeds.setdefault(name, (opponent.position or len(tables.names), len(seeds)))
                if group_of.setdefault(name, group) != group:
                    raise _refusal(
                        stage,
                        _(
                            "{name} plays in groups {first} and {second}. Keep them in one.",
                            name=name,
                            first=group_of[name],
                            second=group,
                        ),
                    )
    seeding = tuple(sorted(seeds, key=seeds.__getitem__))
    groups: dict[int, list[str]] = {group: [] for group in sorted(set(group_of.values()))}
    for name in seeding:
        groups[group_of[name]].append(name)
    return seeding, tuple(map(tuple, groups.values()))


def _seeding(tables: Tables, stage: Stage, first_round: Sequence[Match]) -> tuple[str, ...]:
    """Return the order for which `bracket_order` gives the pairs and byes of the file's first round."""
    slots: list[str | None] = []
    for row in first_round:
        pair = [None if opponent is None else tables.name(opponent) for opponent in (row.opponent1, row.opponent2)]
        waiting = [opponent for opponent in (row.opponent1, row.opponent2) if opponent and opponent.id is None]
        if waiting:
            raise _refusal(stage, _("Its first round has places that nobody has. Seed the stage first."))
        slots += pair if pair[0] is not None else pair[::-1]
    order = bracket_order(max(len(slots), 1))
    if len(order) != len(slots) or len(set(slots) - {None}) != len(slots) - slots.count(None):
        raise _refusal(stage, _("Its first round is not a whole bracket with everyone in it once."))
    entrants = len(slots) - slots.count(None)
    if stage.type == Format.SINGLE_ELIMINATION:
        slots = _turned(slots, [seed <= entrants for seed in order])
    if [name is not None for name in slots] != [seed <= entrants for seed in order]:
        raise _refusal(stage, _("Its byes stand where we give none: they have to be for the best seeds."))
    by_seed = dict(zip(order, slots, strict=True))
    return tuple(name for seed in range(1, entrants + 1) if (name := by_seed[seed]) is not None)


def _turned(slots: list[str | None], filled: list[bool]) -> list[str | None]:
    """Swap halves, and halves of halves, until names stand where `filled` is true; who meets whom stays the same."""
    half = len(slots) // 2
    if not half:
        return slots
    one, other = slots[:half], slots[half:]
    if half - one.count(None) != sum(filled[:half]):
        one, other = other, one
    return _turned(one, filled[:half]) + _turned(other, filled[half:])


_ROUND_OF = {
    Bracket.MAIN: gettext_noop("round {round} of the main bracket"),
    Bracket.LOWER: gettext_noop("round {round} of the lower bracket"),
    Bracket.GRAND_FINAL: gettext_noop("round {round} of the grand final bracket"),
    Bracket.THIRD_PLACE: gettext_noop("round {round} of the third place bracket"),
}
# Of StageSettings.best_of_rounds.
_KEYS = {
    Bracket.MAIN: "main {}",
    Bracket.LOWER: "lower {}",
    Bracket.GRAND_FINAL: "final",
    Bracket.THIRD_PLACE: "third_place",
}


def _with_lengths(stage: Stage, settings: StageSettings, matches: Sequence[ImportedMatch]) -> StageSettings:
    """Return the settings with the length of most matches, and of rounds that have another."""
    if not matches:
        return settings
    usual = Counter(match.best_of for match in matches).most_common(1)[0][0]
    other = {_KEYS[match.bracket].format(match.round): match.best_of for match in matches if match.best_of != usual}
    settings = replace(settings, best_of=usual, best_of_rounds=other)
    last = last_rounds((match.bracket, match.round) for match in matches)
    for match in matches:
        if best_of_in(settings, match.bracket, match.round, last[match.bracket]) != match.best_of:
            where = _(_ROUND_OF[match.bracket], round=match.round)
            raise _refusal(
                stage, _("Matches in {where} have other lengths than can be set. Give them all the same.", where=where)
            )
        if match.best_of % 2 == 0 and stage.type != Format.ROUND_ROBIN:
            raise _refusal(
                stage, _("A match of {best_of} games can end level. Make the number odd.", best_of=match.best_of)
            )
    return settings
