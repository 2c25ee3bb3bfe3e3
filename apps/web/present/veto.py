"""A veto in words: whose turn it is, what has been chosen, what the games are played on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from apps.web.present.shown import entrant_name
from apps.words import gettext as _
from engine.errors import InvalidSettings
from engine.projection import State
from engine.text import gettext_noop
from engine.veto_script import Begins, VetoSettings

Row = Mapping[str, Any]

OPEN_IN = ("ready", "live")
_MARKS = {"ban": "banned", "pick": "picked", "decider": "decider"}


@dataclass(frozen=True, slots=True)
class Tile:
    """One option of the pool. `mark`: banned, picked, decider or ""; `words` say it; `is_open`: it can be taken now."""

    option: str
    mark: str
    words: str
    is_open: bool


@dataclass(frozen=True, slots=True)
class GameShown:
    number: int
    option: str
    how: str
    sides: str


@dataclass(frozen=True, slots=True)
class VetoShown:
    """
    `step`: offer (it can be started), turn, or over. `headline` says what is to be done now, and by whom.

    `may_act`: the person looking can start it or choose; `for_other`: as a referee, for whoever's turn it is.
    `choices`: what can be chosen that is not in the pool: faces of the coin, sides. `seconds_left` is None without a
    limit. `steps` are the sentences so far, the latest last.
    """

    step: str
    headline: str
    script: str
    may_act: bool
    may_reset: bool = False
    for_other: str = ""
    choices: tuple[str, ...] = ()
    tiles: tuple[Tile, ...] = ()
    games: tuple[GameShown, ...] = ()
    steps: tuple[str, ...] = ()
    seconds_left: int | None = None
    ends_at: str | None = None
    seed_hash: str = ""
    seed: str = ""
    coin: str = ""


def veto_shown(state: State, row: Row, *, side: str | None, is_referee: bool, now: datetime) -> VetoShown | None:
    """
    Return what a match's page says about its veto, None when there is nothing to say.

    `side`: the side of the person looking; `is_referee`: they may act for both, unless they play themselves.
    """
    veto = row["veto"]
    is_open = row["state"] in OPEN_IN and state["tournament"].get("status") != "cancelled"
    if veto is None:
        return _offer(state, row) if is_open and (side or is_referee) else None
    turn = veto["turn"]
    if turn is not None and not is_open:
        return None
    names = _names(veto, state)
    told = {"script": veto["script"], "games": _games(veto, names), "steps": tuple(_steps(veto, names))}
    chance = {"seed_hash": veto["seed_hash"], "seed": veto["seed"] or "", "coin": veto["coin"] or ""}
    may_reset = is_referee and is_open
    if turn is None:
        headline = _("This is what you play on") if side else _("Settled")
        return VetoShown("over", headline, may_act=False, may_reset=may_reset, **told, **chance)
    mine, who = side == turn["side"], names[turn["side"]]
    at_pool = turn["act"] in ("ban", "pick")
    ends_at = row["veto_deadline_at"]
    left = None if ends_at is None else max(round((datetime.fromisoformat(ends_at) - now).total_seconds()), 0)
    may_act = mine or (is_referee and side is None)
    return VetoShown(
        "turn",
        _headline(veto, turn, None if mine else who),
        may_act=may_act,
        may_reset=may_reset,
        for_other=who if may_act and not mine else "",
        choices=() if at_pool else tuple(turn["options"]),
        tiles=_tiles(veto, names, turn["options"] if at_pool else ()),
        seconds_left=left,
        ends_at=ends_at,
        **told,
        **chance,
    )


def _offer(state: State, row: Row) -> VetoShown | None:
    settings = state["stages"].get(str(row["stage"]), {}).get("veto")
    if not settings or not settings["pool"]:
        return None
    try:
        script = VetoSettings(**settings).script(row["best_of"])
    except InvalidSettings:
        return None  # the pool is too small for a match of this length
    first = _("The better seed is 1.") if script.begins is Begins.SEED else _("A coin says who is 1.")
    steps = ", ".join(map(str, script.steps))
    tiles = tuple(Tile(option, "", "", is_open=False) for option in settings["pool"])
    return VetoShown(
        "offer",
        _("Settle what you play on"),
        _("{first} Then: {steps}.", first=first, steps=steps),
        may_act=True,
        tiles=tiles,
    )


# What the person looking is to do, and what somebody else is.
_TURNS = {
    "toss": (gettext_noop("Your turn: call the coin"), gettext_noop("{who} calls the coin")),
    "ban": (gettext_noop("Your turn: ban one"), gettext_noop("{who} bans one")),
    "pick": (
        gettext_noop("Your turn: pick what game {game} is played on"),
        gettext_noop("{who} picks what game {game} is played on"),
    ),
    "side": (
        gettext_noop("Your turn: choose your side on {option}"),
        gettext_noop("{who} chooses a side on {option}"),
    ),
}


def _headline(veto: Row, turn: Row, who: str | None) -> str:
    """Return what is to be done; `who` does it, None for the person looking."""
    game = len(veto["games"]) + 1
    settled = veto["games"][-1]["option"] if turn["act"] == "side" else ""
    mine, theirs = _TURNS[turn["act"]]
    return _(mine if who is None else theirs, who=who, game=game, option=settled)


def _tiles(veto: Row, names: Row, options: tuple[str, ...] | list[str]) -> tuple[Tile, ...]:
    taken = {made["option"]: made for made in veto["moves"] if made["act"] in _MARKS}
    game_of = {game["option"]: number for number, game in enumerate(veto["games"], start=1)}
    tiles = []
    for option in veto["pool"]:
        made = taken.get(option)
        words = ""
        if made is not None:
            words = (
                _("game {number}", number=game_of[option])
                if option in game_of
                else _("banned by {name}", name=names[made["side"]])
            )
        tiles.append(Tile(option, _MARKS[made["act"]] if made else "", words, is_open=option in options))
    return tuple(tiles)


def _games(veto: Row, names: Row) -> tuple[GameShown, ...]:
    shown = []
    for number, game in enumerate(veto["games"], start=1):
        how = _("picked by {name}", name=names[game["picked_by"]]) if game["picked_by"] else _("the decider")
        home, away = game["home_side"], game["away_side"]
        sides = (
            _(
                "{home} starts on {home_side}, {away} on {away_side}",
                home=names["home"],
                home_side=home,
                away=names["away"],
                away_side=away,
            )
            if home
            else ""
        )
        shown.append(GameShown(number, game["option"], how, sides))
    return tuple(shown)


def _steps(veto: Row, names: Row) -> list[str]:
    return [_step(veto, made, names) for made in veto["moves"]]


def _step(veto: Row, made: Row, names: Row) -> str:
    values = {"who": names.get(made["side"], ""), "option": made["option"]}
    match made["act"]:
        case "toss":
            said = _(
                "{who} called {face}, and it was {coin}: {first} goes first.",
                who=values["who"],
                face=face(made["option"]),
                coin=face(veto["coin"]),
                first=names.get(veto["first"], ""),
            )
        case "ban":
            said = _("{who} banned {option}.", **values)
        case "pick":
            said = _("{who} picked {option}.", **values)
        case "side":
            said = _("{who} starts on {option}.", **values)
        case _:
            said = _("{option} is left and is played.", **values)
    if not made["drawn"]:
        return said
    chance = _("Time was up, so chance chose.")
    return f"{said} {chance}"


_FACES = frozenset({gettext_noop("heads"), gettext_noop("tails")})


def face(option: str) -> str:
    """Return what a side of the coin is called; any other option as it is, for people have named it."""
    return _(option) if option in _FACES else option


def _names(veto: Row, state: State) -> dict[str, str]:
    return {side: entrant_name(state, veto[side]) or "?" for side in ("home", "away")}


# What the history of a match says. -----------------------------------------------------------------------------------


def _started(_match: Row, changed: Row, state: State) -> str:
    veto = changed["veto"]
    names = _names(veto, state)
    if veto["first"] is None:
        return _("The veto began; {name} calls the coin.", name=names["away"])
    return _("The veto began; {name} goes first.", name=names[veto["first"]])


def _moved(_match: Row, changed: Row, state: State) -> str:
    """Say what the last one to act did, and what followed by itself."""
    veto = changed["veto"]
    acted = max(number for number, made in enumerate(veto["moves"]) if made["side"] is not None)
    return " ".join(_steps(veto, _names(veto, state))[acted:])


def _completed(match: Row, changed: Row, state: State) -> str:
    names, games = _names(changed["veto"], state), changed["veto"]["games"]
    played = ", ".join(game["option"] for game in games)
    playing = _("{home} and {away} play {games}.", home=names["home"], away=names["away"], games=played)
    return f"{_moved(match, changed, state)} {playing}"


def _reset(_match: Row, _changed: Row, _state: State) -> str:
    return _("The veto was taken back.")


SENTENCES: dict[str, Callable[[Row, Row, State], str]] = {
    "veto_started": _started,
    "veto_moved": _moved,
    "veto_completed": _completed,
    "veto_reset": _reset,
}
