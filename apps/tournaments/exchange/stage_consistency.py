"""Whether a stage of a document stands as its own results say, match by match."""

from collections import Counter
from collections.abc import Iterable
from collections.abc import Set as AbstractSet

import msgspec

from apps.errors import BadRequest
from apps.tournaments.exchange.document import Match, Report, Stage, StageEntry, Veto, refusal
from apps.tournaments.exchange.vetoes import made_again
from apps.tournaments.labels import words
from engine.bracket import Place, Side
from engine.errors import EngineError, InvalidScore
from engine.match_flow import OVER, MatchState, Reason, decided
from engine.progression import Outcome, Sides, sent
from engine.stages import MAX_ROUNDS, Format, StageSettings
from engine.text import Listed, Text
from engine.text import gettext as _

_WAITING = MatchState.SCHEDULED
_REASONS = {
    MatchState.COMPLETED: {Reason.PLAYED},
    MatchState.FORFEIT: {Reason.WALKOVER, Reason.FORFEIT, Reason.NO_SHOW},
}


def unique(path: str, name: str, values: Iterable[object]) -> None:
    """Pass values that are all different; `values` are the `name` of the rows in `path`."""
    seen: dict[object, int] = {}
    for index, value in enumerate(values):
        if value in seen:
            raise refusal(
                f"{path}[{index}].{name}", _("It is the same as in {path}[{index}].", path=path, index=seen[value])
            )
        seen[value] = index


def check_stage(path: str, stage: Stage, entries: AbstractSet[int], stations: AbstractSet[int]) -> None:
    """
    Pass a stage that stands as its results say, with entrants and stations of these numbers.

    Raises:
        BadRequest: with the path of what does not fit.
    """
    if stage.state == "pending":
        if stage.entries or stage.matches:
            raise refusal(f"{path}.state", _("The stage is pending, and has been drawn."))
        return
    if len(stage.entries) < 2:  # noqa: PLR2004
        raise refusal(f"{path}.entries", _("A stage that is drawn has at least two entrants."))
    options = _options(path, stage)
    _stage_entries(path, stage, entries, options)
    unique(f"{path}.matches", "number", (match.number for match in stage.matches))
    slots = ((match.bracket, match.group, match.round, match.position) for match in stage.matches)
    unique(f"{path}.matches", "position", slots)
    rows = {row.entry: row for row in stage.entries}
    is_league = stage.format.is_league
    for index, match in enumerate(stage.matches):
        at = f"{path}.matches[{index}]"
        _match(at, match, is_league=is_league)
        _references(at, match, rows, entries, stations)
    if is_league:
        _league(path, stage, rows, options)
    else:
        _bracket(path, stage, rows)
    is_open = any(match.state not in OVER for match in stage.matches)
    if stage.state == "completed" and is_open:
        raise refusal(f"{path}.state", _("The stage is completed, and a match of it is not over."))
    if stage.state == "live" and not is_open and stage.format is not Format.SWISS:
        raise refusal(f"{path}.state", _("The stage is live, and all its matches are over."))


def _options(path: str, stage: Stage) -> StageSettings:
    """Return the settings; whether a stage can be played with them is asked where it is stored."""
    try:
        return msgspec.convert(stage.settings, StageSettings)
    except msgspec.ValidationError as error:
        raise refusal(f"{path}.settings", f"{error}.") from error


def _stage_entries(path: str, stage: Stage, known: AbstractSet[int], options: StageSettings) -> None:
    rows = stage.entries
    unique(f"{path}.entries", "entry", (row.entry for row in rows))
    unique(f"{path}.entries", "seed", (row.seed for row in rows))
    has_groups = stage.format is Format.ROUND_ROBIN and options.groups > 1
    possible = range(1, options.groups + 1) if has_groups else range(1)
    for index, row in enumerate(rows):
        at = f"{path}.entries[{index}]"
        if row.entry not in known:
            raise refusal(f"{at}.entry", _("The document has no entry {entry}.", entry=row.entry))
        if row.group not in possible:
            raise refusal(
                f"{at}.group",
                _("It is from {least} to {most} in this stage.", least=possible[0], most=possible[-1]),
            )
        is_ranked = row.rank is not None
        if is_ranked and stage.state != "completed":
            raise refusal(f"{at}.rank", _("Ranks are known when the stage is completed."))
        if not is_ranked and stage.state == "completed" and not row.annulled:
            raise refusal(f"{at}.rank", _("The stage is completed, and this rank is missing."))


def _references(
    path: str, match: Match, rows: dict[int, StageEntry], entries: AbstractSet[int], stations: AbstractSet[int]
) -> None:
    for side in Side:
        entry = getattr(match, side)
        if entry is not None and entry not in rows:
            raise refusal(f"{path}.{side}", _("Entry {entry} is not in this stage.", entry=entry))
    if match.station is not None and match.station not in stations:
        raise refusal(f"{path}.station", _("The document has no station {station}.", station=match.station))
    if match.veto is not None:
        _veto(f"{path}.veto", match, match.veto, entries)
    for index, kept in enumerate(match.kept):
        at = f"{path}.kept[{index}]"
        for side in Side:
            if getattr(kept, side) not in entries:
                raise refusal(f"{at}.{side}", _("The document has no entry {entry}.", entry=getattr(kept, side)))
        if kept.home == kept.away or kept.winner not in (kept.home, kept.away, None):
            raise refusal(f"{at}.winner", _("It is one of two entrants, or nobody."))
        _score(at, kept)


def _veto(path: str, match: Match, veto: Veto, entries: AbstractSet[int]) -> None:
    """Pass a veto that went as it is told, between the two who meet here or have met here before."""
    for side in Side:
        entry = getattr(veto, side)
        if entry not in entries or getattr(match, side) not in (None, entry):
            raise refusal(f"{path}.{side}", _("Entry {entry} does not play in this match.", entry=entry))
    try:
        made_again(veto)
    except (BadRequest, EngineError) as error:
        raise refusal(path, error.text) from error


def _match(path: str, match: Match, *, is_league: bool) -> None:
    pair = (match.home, match.away)
    state = words(match.state)
    if match.home is not None and match.home == match.away:
        raise refusal(f"{path}.away", _("Nobody plays against themselves."))
    for side in Side:
        if getattr(match, side) is not None and getattr(match, f"{side}_closed"):
            raise refusal(f"{path}.{side}_closed", _("Nobody comes to a closed side, and here is somebody."))
    if match.state not in (_WAITING, MatchState.FORFEIT, MatchState.CANCELLED) and None in pair:
        raise refusal(f"{path}.state", _("The match is {state}, and an entrant is missing.", state=state))
    _score(path, match)
    _reports(path, match, is_league=is_league)
    if match.scheduled_at is not None and (match.scheduled_at.second or match.scheduled_at.microsecond):
        raise refusal(f"{path}.scheduled_at", _("A match is planned for a whole minute."))
    if match.deadline_at is not None and match.state in OVER:
        raise refusal(f"{path}.deadline_at", _("The match is {state}, so nothing is due.", state=state))
    _result(path, match, is_league=is_league)


def _reports(path: str, match: Match, *, is_league: bool) -> None:
    """Pass reports that can be scores; one that is pending can be confirmed, or counts by itself in the end."""
    if (match.report is None) != (match.reported_by is None) or (match.counter_report and not match.report):
        raise refusal(f"{path}.report", _("A report has a side that reported it, and comes before another."))
    for name in ("report", "counter_report"):
        told = getattr(match, name)
        if told is not None:
            _score(f"{path}.{name}", told)
    if match.state is not MatchState.PENDING_RESULT:
        return
    if match.report is None:
        raise refusal(f"{path}.report", _("The result is pending, and nobody has reported it."))
    try:
        decided(match.report.score(), best_of=match.best_of, draws=is_league)
    except InvalidScore as error:
        raise refusal(f"{path}.report", error.text) from error


def _result(path: str, match: Match, *, is_league: bool) -> None:
    state = words(match.state)
    reasons = _REASONS.get(match.state, {None})
    if match.reason not in reasons:
        raise refusal(
            f"{path}.reason", _("A match that is {state} has {reasons}.", state=state, reasons=_listed(reasons))
        )
    if match.winner is None:
        if match.state is MatchState.COMPLETED and not (is_league and match.score().winner() is None):
            raise refusal(f"{path}.winner", _("The match was played, and somebody is ahead or has to be."))
        return
    if match.winner not in (match.home, match.away):
        raise refusal(f"{path}.winner", _("Entry {winner} does not play in this match.", winner=match.winner))
    if match.state not in _REASONS:
        raise refusal(f"{path}.winner", _("The match is {state}, so nobody has won it.", state=state))
    ahead = match.score().winner()
    if match.state is MatchState.COMPLETED and (ahead is None or getattr(match, ahead) != match.winner):
        raise refusal(f"{path}.winner", _("Entry {winner} is not ahead in the score.", winner=match.winner))


def _listed(reasons: Iterable[Reason | None]) -> Text:
    names = sorted(reason for reason in reasons if reason is not None)
    return _("one of the reasons {names}", names=Listed(names)) if names else _("no reason")


def _score(path: str, told: Report) -> None:
    try:
        told.score()
    except InvalidScore as error:
        raise refusal(path, error.text) from error


def _league(path: str, stage: Stage, rows: dict[int, StageEntry], options: StageSettings) -> None:
    busy: set[tuple[int, int]] = set()
    for index, row in enumerate(stage.entries):
        for number in row.byes:
            _once(f"{path}.entries[{index}].byes", number, row.entry, busy)
    for index, match in enumerate(stage.matches):
        at = f"{path}.matches[{index}]"
        if match.home is None or match.away is None or match.state is _WAITING:
            raise refusal(f"{at}.state", _("A match of a league has both entrants from the start."))
        if stage.format is Format.SWISS and match.round > MAX_ROUNDS:
            raise refusal(f"{at}.round", _("A Swiss stage has at most {most} rounds.", most=MAX_ROUNDS))
        if match.winner_to or match.loser_to or match.sends_on:
            raise refusal(f"{at}.winner_to", _("A match of a league leads to no other."))
        for side, entry in ((Side.HOME, match.home), (Side.AWAY, match.away)):
            if rows[entry].group != match.group:
                raise refusal(
                    f"{at}.group", _("Entry {entry} is in group {group}.", entry=entry, group=rows[entry].group)
                )
            _once(f"{at}.{side}", match.round, entry, busy)
    if stage.format is Format.ROUND_ROBIN:
        _pairs(path, stage, options.legs)


def _once(path: str, round_: int, entry: int, busy: set[tuple[int, int]]) -> None:
    if (round_, entry) in busy:
        raise refusal(path, _("Entry {entry} has something else in round {round}.", entry=entry, round=round_))
    busy.add((round_, entry))


def _pairs(path: str, stage: Stage, legs: int) -> None:
    sizes = Counter(row.group for row in stage.entries)
    pairs = sum(size * (size - 1) // 2 for size in sizes.values())
    met = Counter(frozenset((match.home, match.away)) for match in stage.matches)
    if len(met) != pairs or set(met.values()) - {legs}:
        raise refusal(
            f"{path}.matches", _("Not all pairs of a group meet as often as the settings say ({legs}).", legs=legs)
        )


def _bracket(path: str, stage: Stage, rows: dict[int, StageEntry]) -> None:
    """Pass a bracket in which every place has whom the results bring to it, and everybody has one place to begin."""
    due = _due(path, stage)
    begun: set[int] = set()
    for index, match in enumerate(stage.matches):
        at = f"{path}.matches[{index}]"
        for side in Side:
            entry, closed = getattr(match, side), getattr(match, f"{side}_closed")
            place = Place(match.number, side)
            if place in due:
                if due[place] != (entry, closed):
                    raise refusal(f"{at}.{side}", _("It is not what the matches before bring here."))
            elif entry is None or entry in begun:
                raise refusal(
                    f"{at}.{side}", _("No match leads here, so somebody begins here who begins nowhere else.")
                )
            else:
                begun.add(entry)
        _standing(at, match)
    if missing := rows.keys() - begun:
        raise refusal(f"{path}.entries", _("Entry {entry} begins in none of the matches.", entry=min(missing)))


def _due(path: str, stage: Stage) -> dict[Place, tuple[int | None, bool]]:
    """Return who has come to each place that a match leads to, and whether it is closed."""
    numbers = {match.number for match in stage.matches}
    due: dict[Place, tuple[int | None, bool]] = {}
    for index, match in enumerate(stage.matches):
        for name in ("winner_to", "loser_to"):
            to = getattr(match, name)
            if to is None:
                continue
            at = f"{path}.matches[{index}].{name}"
            if to.match not in numbers or to.match <= match.number:
                raise refusal(at, _("Match {match} is no later match of this stage.", match=to.match))
            if Place(to.match, to.side) in due:
                raise refusal(
                    at, _("Another match leads to the {side} side of match {match} too.", side=to.side, match=to.match)
                )
            due[Place(to.match, to.side)] = (None, False)
        outcome = _outcome(match) if match.state in OVER else None
        due.update({place: (entrant, closed) for place, entrant, closed in sent(_sides(match), outcome)})
    return due


def _standing(path: str, match: Match) -> None:
    """Pass a match that waits while somebody can still come, and only then."""
    sides = _sides(match)
    known = (match.home is not None) + (match.away is not None)
    state = words(match.state)
    if (match.state is _WAITING) == sides.is_settled():
        raise refusal(f"{path}.state", _("The match is {state}, which it cannot be with these entrants.", state=state))
    if (match.state is MatchState.CANCELLED) != (sides.is_settled() and known == 0):
        raise refusal(f"{path}.state", _("A match of a bracket is cancelled when nobody comes to it, and only then."))


def _sides(match: Match) -> Sides:
    winner_to, loser_to = (None if to is None else Place(to.match, to.side) for to in (match.winner_to, match.loser_to))
    return Sides(match.home, match.away, match.home_closed, match.away_closed, winner_to, loser_to, match.sends_on)


def _outcome(match: Match) -> Outcome:
    if match.winner is None:
        return Outcome(None, None)
    if match.winner == match.home:
        return Outcome(match.home, match.away, Side.HOME)
    return Outcome(match.away, match.home, Side.AWAY)
