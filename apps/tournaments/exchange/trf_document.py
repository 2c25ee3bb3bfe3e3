"""A tournament report file as a document: a Swiss tournament, as far as the file says that it is played."""

from datetime import UTC, datetime, time

import msgspec

from apps.errors import BadRequest
from apps.tournaments.exchange import NAME_LENGTH, document
from apps.tournaments.exchange.document import FORMAT, MAX_MATCHES, YEARS, Document
from apps.tournaments.exchange.trf import TrfTournament
from apps.tournaments.exchange.trf_results import League, league_of
from apps.tournaments.text import clean_line
from engine.bracket import MIN_ENTRANTS
from engine.league import tables
from engine.match_flow import MatchState, Reason
from engine.results import Result
from engine.stages import Format, StageSettings
from engine.text import gettext as _

UNNAMED = "Imported tournament"
TITLE_LENGTH = 100

_FULL_BYES, _HALF_BYE = ("U", "F"), "H"


def document_of(report: TrfTournament, at: datetime) -> Document:
    """
    Return the document of a report; the stage is live if anything is paired. Seeds follow the starting numbers.

    Args:
        at: when what has been played is said to have ended; the file does not tell.

    Raises:
        BadRequest: there is something that no Swiss stage here can hold, or the points do not follow from the results.
    """
    league = league_of(report)
    names = _names(report, league)
    _no_half_points(league)
    if (games := len(league.results) + len(league.open)) > MAX_MATCHES:
        raise BadRequest(
            _("The file has {games} games and byes; at most {most} can be kept.", games=games, most=MAX_MATCHES),
            field="file",
        )
    matches = _matches(league, at)
    entries = [document.Entry(number=seed, name=name, seed=seed, created_at=at) for seed, name in enumerate(names, 1)]
    drawn = len(names) >= MIN_ENTRANTS and bool(matches)
    stage = document.Stage(
        number=1,
        format=Format.SWISS,
        state="live" if drawn else "pending",
        settings=msgspec.to_builtins(_settings(league)),
        entries=_stage_entries(report, league) if drawn else [],
        matches=matches if drawn else [],
    )
    if drawn:
        _points_agree(report, stage)
    where = ", ".join(filter(None, (report.city, report.federation)))
    started = any(match.state is not MatchState.READY for match in matches)
    return Document(
        format=FORMAT,
        tournament=document.Tournament(
            name=clean_line("name", report.name[:TITLE_LENGTH], at_most=TITLE_LENGTH) or UNNAMED,
            description=clean_line("description", where, at_most=4000),
            status="live" if started else "registration_closed" if drawn else "draft",
            capacity=max(len(names), MIN_ENTRANTS),
            starts_at=_start(report),
            seeding="manual",
            created_at=at,
        ),
        entries=entries,
        stages=[stage],
    )


def _names(report: TrfTournament, league: League) -> list[str]:
    numbers = sorted(player.number for player in report.players)
    names: list[str] = []
    number_of: dict[str, int] = {}
    for number, name in zip(numbers, league.names, strict=True):
        try:
            names.append(clean_line("name", name, at_most=NAME_LENGTH, required=True))
        except BadRequest as error:
            message = _("Player {number}: {message}", number=number, message=error.text)
            raise BadRequest(message, field="file") from error
        first = number_of.setdefault(names[-1].casefold(), number)
        if first != number:
            message = _(
                "Players {first} and {number} are both called “{name}”. Give one another name.",
                first=first,
                number=number,
                name=names[-1],
            )
            raise BadRequest(message, field="file")
    return names


def _no_half_points(league: League) -> None:
    for (round_, seed), code in league.byes.items():
        if code == _HALF_BYE:
            message = _(
                "{name} has a half-point bye in round {round}; a bye here is worth the same for everybody.",
                name=league.names[seed - 1],
                round=round_,
            )
            raise BadRequest(message, field="file")


def _settings(league: League) -> StageSettings:
    if league.scoring is None:
        message = _("The points of the players follow from no usual scoring. Say in a line 162 what a result is worth.")
        raise BadRequest(message, field="file")
    played = max((r.round for r in league.results), default=0)
    paired = max((round_ for round_, _, _ in league.open), default=0)
    return StageSettings(rounds=max(league.rounds, played, paired), points=league.scoring)


def _matches(league: League, at: datetime) -> list[document.Match]:
    games = [(r.round, r.home, r.away, r) for r in league.results if r.away is not None]
    open_: list[tuple[int, int, int, Result | None]] = [(*game, None) for game in league.open]
    matches: list[document.Match] = []
    position, last = 0, 0
    ordered = sorted([*games, *open_], key=lambda game: game[:2])
    for number, (round_, home, away, result) in enumerate(ordered, start=1):
        position, last = (position + 1 if round_ == last else 1), round_
        match = document.Match(number=number, round=round_, position=position, home=home, away=away)
        matches.append(_as_it_stands(match, result, at))
    return matches


def _as_it_stands(match: document.Match, result: Result | None, at: datetime) -> document.Match:
    if result is None:
        return msgspec.structs.replace(match, state=MatchState.READY)
    state, reason = (MatchState.FORFEIT, Reason.FORFEIT) if result.forfeit else (MatchState.COMPLETED, Reason.PLAYED)
    return msgspec.structs.replace(
        match,
        state=state,
        reason=reason,
        winner=result.winner,
        home_score=result.home_score,
        away_score=result.away_score,
        completed_at=at,
    )


def _stage_entries(report: TrfTournament, league: League) -> list[document.StageEntry]:
    """Return the entrants; their places in the file are their lots, and so decide when all else is level."""
    players = sorted(report.players, key=lambda player: player.number)
    by_rank = sorted(range(1, len(players) + 1), key=lambda seed: (players[seed - 1].rank or len(players), seed))
    lots = {seed: lot for lot, seed in enumerate(by_rank, start=1)}
    byes: dict[int, list[int]] = {}
    for (round_, seed), code in sorted(league.byes.items()):
        if code in _FULL_BYES:
            byes.setdefault(seed, []).append(round_)
    return [
        document.StageEntry(entry=seed, seed=seed, lot=lots[seed], byes=byes.get(seed, []))
        for seed in range(1, len(players) + 1)
    ]


def _points_agree(report: TrfTournament, stage: document.Stage) -> None:
    """Pass a stage whose table has the points of the file."""
    rows = [msgspec.structs.asdict(row) for row in stage.entries]
    matches = [msgspec.structs.asdict(match) for match in stage.matches]
    table = tables({**stage.settings, "format": stage.format}, matches, rows)[0]
    points = {line.entrant: line.points for line in table}
    for seed, player in enumerate(sorted(report.players, key=lambda player: player.number), start=1):
        if player.points != points[seed]:
            message = _(
                "Player {number} has {points} points in the file, and the results make {sum}. Correct one of them.",
                number=player.number,
                points=player.points,
                sum=points[seed],
            )
            raise BadRequest(message, field="file")


def _start(report: TrfTournament) -> datetime | None:
    day = report.starts
    return datetime.combine(day, time(), UTC) if day is not None and day.year in YEARS else None
