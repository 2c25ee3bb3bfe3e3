"""
Swiss: everyone plays every round, against somebody with as many points whom they have not met.

Deterministic, and without colours. In this order: nobody has a second bye before all have had one; no rematch, or as
few as possible; the bye goes to the lowest score group, and there to the lowest seed; the score differences are least
(see engine.swiss_floats for the order in which); the upper half of a score group meets its lower half (see
engine.swiss_groups). Ties are broken by seed, never by an id.

Source: FIDE Handbook C.04.3 (Dutch), without its colour rules. There, the top group has what is best for it first, and
of the lowest group the bye goes to whoever leaves the others the better pairing. Here the sum of squares over the whole
table is least, and the bye is known from the standings.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, groupby

from engine.bracket import MAX_ENTRANTS
from engine.errors import InvalidField
from engine.matching import optimal_matching
from engine.results import Points, Result
from engine.swiss_floats import Table, floats
from engine.swiss_groups import pair_group
from engine.text import Text, ngettext
from engine.text import gettext as _


@dataclass(frozen=True, slots=True)
class Player:
    """
    An entrant who is to be paired.

    opponents: everyone they were paired with, once for each match. A forfeit counts, so that nobody is sent to the same
    opponent again. byes: how many they had. walkovers: matches won without play. floated: in the last round and in the
    one before it, -1 when they met fewer points or had a bye, 1 when they met more. home_balance: matches at home less
    those away.
    """

    entrant: int
    seed: int
    points: float = 0
    opponents: tuple[int, ...] = ()
    byes: int = 0
    walkovers: int = 0
    floated: tuple[int, int] = (0, 0)
    home_balance: int = 0


@dataclass(frozen=True, slots=True)
class Pairing:
    """
    One round: (home, away) by board, the highest points first; who has the bye; which of the pairs have met before.

    At home is who has been there less often, else who is higher in the table.
    """

    pairs: tuple[tuple[int, int], ...]
    bye: int | None
    repeats: tuple[tuple[int, int], ...]


def rounds_needed(entrants: int) -> int:
    """Return after how many rounds at most one entrant can have won every match."""
    return max(entrants - 1, 0).bit_length()


def players_from(
    seeds: Mapping[int, int],
    results: Iterable[Result],
    points: Points,
    *,
    given: Mapping[int, float] | None = None,
) -> list[Player]:
    """
    Return what the rounds so far say about everyone who is to be paired.

    Args:
        seeds: the seed of each entrant who plays on. Who has withdrawn or finished is not in it.
        results: of all entrants. Rounds that somebody missed have none.
        given: points that no result tells of, such as those for rounds before a late entry.

    Cost: O(results).
    """
    total: defaultdict[int, float] = defaultdict(float, given or {})
    met: defaultdict[int, list[int]] = defaultdict(list)
    byes, walkovers, balance = Counter[int](), Counter[int](), Counter[int]()
    floated: tuple[dict[int, int], dict[int, int]] = {}, {}
    for _number, round_ in groupby(sorted(results, key=lambda result: result.round), key=lambda result: result.round):
        before, floated = total.copy(), ({}, floated[0])
        for result in round_:
            home, away = result.home, result.away
            if away is None:
                total[home] += points.bye
                byes[home] += 1
                floated[0][home] = -1
                continue
            floated[0][home] = (before[away] > before[home]) - (before[away] < before[home])
            floated[0][away] = -floated[0][home]
            balance[home] += 1
            balance[away] -= 1
            for entrant, opponent in ((home, away), (away, home)):
                met[entrant].append(opponent)
                won = result.winner == entrant
                drawn = result.winner is None and not result.forfeit
                total[entrant] += points.win if won else points.draw if drawn else points.loss
                walkovers[entrant] += won and result.forfeit
    last, last_but_one = floated
    return [
        Player(
            entrant=entrant,
            seed=seed,
            points=total[entrant],
            opponents=tuple(met[entrant]),
            byes=byes[entrant],
            walkovers=walkovers[entrant],
            floated=(last.get(entrant, 0), last_but_one.get(entrant, 0)),
            home_balance=balance[entrant],
        )
        for entrant, seed in seeds.items()
    ]


def finished(results: Iterable[Result], *, ends_at_wins: int = 0, ends_at_losses: int = 0) -> frozenset[int]:
    """
    Return who has won or lost as often as it takes to be through or out; 0 means that nobody is.

    A bye and a walkover are wins. A match that both lost is a loss for both.
    """
    wins, losses = Counter[int](), Counter[int]()
    for result in results:
        if result.away is None:
            wins[result.home] += 1
        elif result.winner is not None or result.forfeit:
            for entrant in (result.home, result.away):
                (wins if entrant == result.winner else losses)[entrant] += 1
    return frozenset(
        entrant
        for counter, limit in ((wins, ends_at_wins), (losses, ends_at_losses))
        for entrant, times in counter.items()
        if 0 < limit <= times
    )


def pair_round(players: Collection[Player]) -> Pairing:
    """
    Pair everyone once; one has a bye when they are odd in number.

    Raises:
        InvalidField: too many entrants; two with one seed or one id; points finer than halves.

    Cost: bench/swiss.py measures it.
    """
    ranked = sorted(players, key=lambda player: (-player.points, player.seed))
    _check(ranked)
    bye = None
    if len(ranked) % 2:
        bye = ranked.pop(_rank_of_bye(ranked)).entrant
    table = _table(ranked)
    pairs = floats(table)
    floating = {rank for pair in pairs for rank in pair}
    for group in table.groups:
        pairs += pair_group([rank for rank in group if rank not in floating], table.met)
    pairs = sorted(pairs, key=lambda pair: (-table.points[pair[0]], -table.points[pair[1]], pair))
    boards = {(x, y): _seated(ranked[x], ranked[y]) for x, y in pairs}
    return Pairing(tuple(boards.values()), bye, tuple(boards[x, y] for x, y in pairs if y in table.met[x]))


def why(home: Player, away: Player | None, names: Mapping[int, str]) -> Text:
    """Return in a sentence why these two meet, or why `home` has the bye (`away` is None)."""
    first = names[home.entrant]
    if away is None:
        if home.byes or home.walkovers:
            fewest = _("everyone has had a bye or a walkover, and of those with the fewest byes")
        else:
            fewest = _("of those who have had neither bye nor walkover")
        return _(
            "{first} has the bye: {fewest}, {first} is the lowest that can be left out ({points}).",
            first=first,
            fewest=fewest,
            points=_points(home.points),
        )
    second = names[away.entrant]
    if home.points == away.points:
        level = _("both on {points}", points=_points(home.points))
    else:
        high, low = (home, away) if home.points > away.points else (away, home)
        level = _(
            "{name} floated down from {high} to meet {low}",
            name=names[high.entrant],
            high=_points(high.points),
            low=_points(low.points),
        )
    match home.opponents.count(away.entrant):
        case 0:
            before = _("not met before")
        case 1:
            before = _("met before, as no pairing of everyone avoids it")
        case times:
            before = _("met {times} times before, as no pairing of everyone avoids it", times=times)
    return _("{first} and {second}: {level}, {before}.", first=first, second=second, level=level, before=before)


def _points(points: float) -> Text:
    count = int(points) if points == int(points) else 2  # half points are many
    return ngettext("{points} point", "{points} points", count, points=points)


def _check(players: Sequence[Player]) -> None:
    if len(players) > MAX_ENTRANTS:
        message = _("A Swiss round takes up to {most} entrants, not {count}.", most=MAX_ENTRANTS, count=len(players))
        raise InvalidField(message)
    for name, values in (("id", [p.entrant for p in players]), ("seed", [p.seed for p in players])):
        if len(set(values)) < len(values):
            twice = next(value for value, times in Counter(values).items() if times > 1)
            message = _("Two entrants have {name} {twice}. Give each its own.", name=name, twice=twice)
            raise InvalidField(message)
    for player in players:
        if 2 * player.points % 1:
            message = _("{points} points cannot be paired. Use whole and half points.", points=player.points)
            raise InvalidField(message)


def _table(ranked: Sequence[Player]) -> Table:
    rank_of = {player.entrant: rank for rank, player in enumerate(ranked)}
    return Table(
        points=[int(2 * player.points) for player in ranked],
        met=[Counter(rank_of[e] for e in player.opponents if e in rank_of) for player in ranked],
        floated=[player.floated for player in ranked],
    )


def _rank_of_bye(ranked: Sequence[Player]) -> int:
    """
    Return who has the bye: of those with the fewest byes (then walkovers) the last one without whom the others need
    no rematch, or as few as possible.
    """
    fewest = min((player.byes, player.walkovers) for player in ranked)
    candidates = [rank for rank, player in enumerate(ranked) if (player.byes, player.walkovers) == fewest][::-1]
    met, n = _table(ranked).met, len(ranked)
    # The others need no rematch if each can still meet half of them (Dirac).
    if n - 1 >= 2 * max(map(len, met)) + 2:
        return candidates[0]
    edges = [(x, y, (int(y in met[x]), 0)) for x, y in combinations(range(n), 2)]
    edges += [(rank, n, (0, order)) for order, rank in enumerate(candidates)]
    return next(rank for rank, partner in optimal_matching(n + 1, edges) if partner == n)


def _seated(better: Player, other: Player) -> tuple[int, int]:
    if other.home_balance < better.home_balance:
        return other.entrant, better.entrant
    return better.entrant, other.entrant
