"""
Between a tournament report file and what the engine calculates with: entrants by seed, results, byes.

A TRF knows who won, not by how much: won games come back as 1–0, draws as 0–0. Of games that were over before they
began (W D L) the outcome stays, and a game that both lost (0 0) comes back as a double forfeit.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from apps.errors import BadRequest
from apps.tournaments.exchange.trf import NAME_WIDTH, USUAL_POINTS, TrfPlayer, TrfRound, TrfTournament
from engine.bracket import Side
from engine.results import Points, Result
from engine.text import gettext as _

# What stands in the lines of the two players, home first: who won, and whether by forfeit.
_OUTCOMES: dict[tuple[str, str], tuple[Side | None, bool]] = {
    ("1", "0"): (Side.HOME, False),
    ("0", "1"): (Side.AWAY, False),
    ("=", "="): (None, False),
    ("+", "-"): (Side.HOME, True),
    ("-", "+"): (Side.AWAY, True),
    ("-", "-"): (None, True),
    ("0", "0"): (None, True),
}
_WRITTEN = {outcome: pair for pair, outcome in reversed(_OUTCOMES.items())}
_UNRATED = {"W": "1", "D": "=", "L": "0"}
_BYES = {"+": "F", "=": "H", "-": "Z"}
_FULL_BYES = ("U", "F")

_USUAL_SCORINGS = tuple(
    Points(win, draw, loss, bye) for win, draw, loss in ((1, 0.5, 0), (3, 1, 0), (2, 1, 0)) for bye in (win, draw, loss)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class League:
    """
    A Swiss or round robin tournament as far as it is played. Entrants are their seeds, from 1.

    `results` holds the matches, and the byes that are worth the points of a bye. `byes` says by (round, entrant) what
    each round without an opponent was: "U" given by the pairing, "F" full points and "H" half points, both on request,
    "Z" absent. `open`: (round, home, away) of games that are paired and not decided. `scoring` is None when nothing
    usual gives the points in the file. `rounds`: how many are planned (0: not stated).
    """

    names: tuple[str, ...]
    ratings: tuple[int, ...] = ()
    results: tuple[Result, ...] = ()
    byes: dict[tuple[int, int], str] = field(default_factory=dict)
    open: tuple[tuple[int, int, int], ...] = ()
    scoring: Points | None = None
    rounds: int = 0


def league_of(tournament: TrfTournament) -> League:
    """
    Return the entrants in order of their starting numbers and all that is decided, by round.

    Raises:
        BadRequest: the results of the two players of a game do not fit together.
    """
    players = sorted(tournament.players, key=lambda player: player.number)
    seed_of = {player.number: seed for seed, player in enumerate(players, 1)}
    results: list[Result] = []
    byes: dict[tuple[int, int], str] = {}
    waiting: list[tuple[int, int, int]] = []
    for round_, lines in enumerate(zip(*(player.rounds for player in players), strict=True), 1):
        for seed, mine in enumerate(lines, 1):
            if mine.opponent is None:
                byes[round_, seed] = code = _BYES.get(mine.result, mine.result)
                if code in _FULL_BYES:
                    results.append(Result(round_, seed, None, seed))
                continue
            away = seed_of[mine.opponent]
            theirs = lines[away - 1]
            if not _is_home(mine, theirs, has_lower_seed=seed < away):
                continue
            if not mine.result and not theirs.result:
                waiting.append((round_, seed, away))
            else:
                results.append(_result(round_, players[seed - 1], players[away - 1], seed, away))
    return League(
        names=tuple(player.name for player in players),
        ratings=tuple(player.rating for player in players),
        results=tuple(results),
        byes=byes,
        open=tuple(waiting),
        scoring=scoring_of(tournament),
        rounds=tournament.rounds,
    )


def scoring_of(tournament: TrfTournament) -> Points | None:
    """Return what results are worth: as the file says, else the first usual scoring that gives everyone's points."""
    if tournament.scoring is not None:
        return tournament.scoring
    for scoring in _USUAL_SCORINGS:
        if all(_total(player.rounds, scoring) == player.points for player in tournament.players):
            return scoring
    return None


def tournament_of(
    league: League, *, name: str, kind: str, points: Sequence[float] = (), ranks: Sequence[int] = ()
) -> TrfTournament:
    """
    Return the report of a league. Names are cut to the 33 characters that fit.

    Args:
        league: a bye in `results` is "U" unless `byes` says otherwise; who has neither match nor bye was absent.
        name: of the tournament.
        kind: in words, as "Individual: Swiss-System".
        points: of each entrant, by seed; empty: added up from the rounds.
        ranks: places in the standings, by seed; empty: not stated.

    Raises:
        BadRequest: an entrant has two matches in a round, for which a TRF has no place.
    """
    rounds: dict[tuple[int, int], TrfRound] = {}
    played = [(result.round, *line) for result in league.results for line in _rounds(result)]
    for number, home, away in league.open:
        played += [(number, home, TrfRound(away, "w", "")), (number, away, TrfRound(home, "b", ""))]
    for number, entrant, line in played:
        if (number, entrant) in rounds:
            message = _(
                "{name} has two results in round {round}; a tournament report file has room for one.",
                name=league.names[entrant - 1],
                round=number,
            )
            raise BadRequest(message, field="results")
        rounds[number, entrant] = line
    for place, code in league.byes.items():
        if place not in rounds or rounds[place].opponent is None:
            rounds[place] = TrfRound(result=code)
    last = max((round_ for round_, _ in rounds), default=0)
    scoring = league.scoring or USUAL_POINTS
    players = []
    for seed, label in enumerate(league.names, 1):
        own = tuple(rounds.get((round_, seed), TrfRound()) for round_ in range(1, last + 1))
        player = TrfPlayer(
            number=seed,
            name=label[:NAME_WIDTH].strip(),
            rating=league.ratings[seed - 1] if league.ratings else 0,
            points=points[seed - 1] if points else _total(own, scoring),
            rank=ranks[seed - 1] if ranks else 0,
            rounds=own,
        )
        players.append(player)
    return TrfTournament(
        name=name,
        kind=kind,
        rounds=league.rounds,
        scoring=None if scoring == USUAL_POINTS else scoring,
        players=tuple(players),
    )


def _is_home(mine: TrfRound, theirs: TrfRound, *, has_lower_seed: bool) -> bool:
    """Return whether the first of two opponents had White; where nobody had a colour, the lower seed is at home."""
    if mine.colour == theirs.colour:
        return has_lower_seed
    return mine.colour == "w" or theirs.colour == "b"


def _result(round_: int, home: TrfPlayer, away: TrfPlayer, home_seed: int, away_seed: int) -> Result:
    mine, theirs = (player.rounds[round_ - 1].result for player in (home, away))
    outcome = _OUTCOMES.get((_UNRATED.get(mine, mine), _UNRATED.get(theirs, theirs)))
    if outcome is None:
        message = _(
            "In round {round} player {home} has “{mine}” and player {away} “{theirs}”, which cannot both be true. "
            "Correct one of the two lines.",
            round=round_,
            home=home.number,
            mine=mine,
            away=away.number,
            theirs=theirs,
        )
        raise BadRequest(message, field="file")
    side, forfeit = outcome
    winner = {Side.HOME: home_seed, Side.AWAY: away_seed, None: None}[side]
    scores = (int(side is Side.HOME), int(side is Side.AWAY)) if not forfeit else (0, 0)
    return Result(round_, home_seed, away_seed, winner, *scores, forfeit=forfeit)


def _rounds(result: Result) -> Iterator[tuple[int, TrfRound]]:
    """Yield what a result is in the line of each entrant."""
    if result.away is None:
        yield result.home, TrfRound(result="U")
        return
    side = {result.home: Side.HOME, result.away: Side.AWAY, None: None}[result.winner]
    home, away = _WRITTEN[side, result.forfeit]
    yield result.home, TrfRound(result.away, "w", home)
    yield result.away, TrfRound(result.home, "b", away)


def _total(rounds: Sequence[TrfRound], scoring: Points) -> float:
    worth = {"1": scoring.win, "+": scoring.win, "F": scoring.win, "=": scoring.draw, "H": scoring.draw}
    worth |= {"0": scoring.loss, "U": scoring.bye}
    return round(sum(worth.get(_UNRATED.get(r.result, r.result), 0) for r in rounds), 1)
