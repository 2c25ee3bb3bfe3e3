"""
How a veto (pick and ban) goes: what there is to choose from, and who does what in which order.

The pool holds the options: maps, stages, characters. A script is text that organisers can write, for example
"1 ban, 2 ban, 1 pick, 2 side, 2 pick, 1 side, decider". 1 is whoever goes first: by the toss of a coin, or with "seed;"
before the steps, the better seed.
"""

import re
from dataclasses import dataclass, field
from enum import StrEnum

from engine.errors import InvalidSettings
from engine.match_flow import MAX_GAMES
from engine.text import Text, ngettext
from engine.text import gettext as _

MIN_POOL = 2
MAX_POOL = 32
MAX_NAME = 40
MAX_SECONDS = 3600
MAX_TEXT = 1000

_STEP = re.compile(r"(1|2|first|second) (ban|pick|side)|decider")
_BEST_OF = re.compile(r"[1-9][0-9]?")


class Act(StrEnum):
    TOSS = "toss"  # call the coin; whoever is right goes first
    BAN = "ban"
    PICK = "pick"
    DECIDER = "decider"  # the one that is left is played; nobody acts
    SIDE = "side"  # choose the side to start on, in the game that was settled last


class Begins(StrEnum):
    """How it is known who goes first."""

    TOSS = "toss"
    SEED = "seed"


@dataclass(frozen=True, slots=True)
class Step:
    """`who` is 1 or 2; 0 for the decider."""

    act: Act
    who: int = 0

    def __str__(self) -> str:
        return f"{self.who} {self.act}" if self.who else str(self.act)


@dataclass(frozen=True, slots=True)
class Script:
    steps: tuple[Step, ...]
    begins: Begins = Begins.TOSS

    def __str__(self) -> str:
        """Return the script as `parse` reads it."""
        steps = ", ".join(map(str, self.steps))
        return steps if self.begins is Begins.TOSS else f"{self.begins}; {steps}"

    @property
    def games(self) -> int:
        """How many games it settles."""
        return sum(step.act in (Act.PICK, Act.DECIDER) for step in self.steps)

    @classmethod
    def parse(cls, text: str) -> "Script":
        """
        Return the script that a text says. Case and spaces do not matter, and "first" is as good as "1".

        Raises:
            InvalidSettings: says which step cannot be read, and how steps are written.
        """
        if len(text) > MAX_TEXT:
            message = _("A script has at most {most} characters.", most=MAX_TEXT)
            raise InvalidSettings(message)
        begins, has_beginning, rest = text.lower().rpartition(";")
        how = begins.strip() if has_beginning else Begins.TOSS
        if how not in set(Begins):
            message = _("Before the “;” of a script stands toss or seed.")
            raise InvalidSettings(message)
        return cls(tuple(_step(number, part) for number, part in enumerate(rest.split(","), start=1)), Begins(how))

    def check(self, *, pool: int, best_of: int) -> None:
        """
        Pass a script that can be carried out to its end whatever the two choose, and settles at most `best_of` games.

        It may settle fewer: where the loser picks the next one, only the first is known before the match.

        Raises:
            InvalidSettings: says what is wrong with it, for a pool of this size.
        """
        acts = [step.act for step in self.steps]
        self._check_decider(acts, pool)
        self._check_sides(acts)
        taken = acts.count(Act.BAN) + acts.count(Act.PICK)
        if taken > pool:
            message = _(
                "The script bans and picks {taken}, and the pool has only {pool}. Take out {surplus}.",
                taken=taken,
                pool=pool,
                surplus=taken - pool,
            )
            raise InvalidSettings(message)
        if self.games == 0:
            message = _("The script leaves nothing to play. Add a pick or the decider.")
            raise InvalidSettings(message)
        if self.games > best_of:
            message = _(
                "A best of {best_of} has at most {most}, and the script settles {games}.",
                best_of=best_of,
                most=_games(best_of),
                games=self.games,
            )
            raise InvalidSettings(message)

    @staticmethod
    def _check_decider(acts: list[Act], pool: int) -> None:
        if Act.DECIDER not in acts:
            return
        before, after = acts[: acts.index(Act.DECIDER)], acts[acts.index(Act.DECIDER) + 1 :]
        if any(act is not Act.SIDE for act in after):
            message = _("The decider is the one that is left, so it is the last; only a side can be chosen after it.")
            raise InvalidSettings(message)
        left = pool - sum(act in (Act.BAN, Act.PICK) for act in before)
        if left != 1:
            bans = _bans(abs(left - 1))
            what = _("Add {bans}", bans=bans) if left > 1 else _("Take out {bans}", bans=bans)
            message = _(
                "The decider is the one that is left, and of a pool of {pool} {left} would be. {what}.",
                pool=pool,
                left=max(left, 0),
                what=what,
            )
            raise InvalidSettings(message)

    @staticmethod
    def _check_sides(acts: list[Act]) -> None:
        is_open = False
        for act in acts:
            if act is Act.SIDE and not is_open:
                message = _("A side is chosen once for a game, after its pick or the decider and before the next pick.")
                raise InvalidSettings(message)
            if act is not Act.BAN:
                is_open = act is not Act.SIDE


def preset(best_of: int, pool: int) -> Script:
    """
    Return the usual script: a ban each, the picks, and bans until the decider is left. An even best-of has no decider.

    Raises:
        InvalidSettings: the pool is too small.
    """
    if pool < best_of:
        message = _(
            "A best of {best_of} needs a pool of {best_of} at least, and there are {pool}.", best_of=best_of, pool=pool
        )
        raise InvalidSettings(message)
    has_decider = best_of % 2 == 1
    bans = pool - best_of if has_decider else min(pool - best_of, 2)
    picks = best_of - 1 if has_decider else best_of
    opening = min(bans, 2)
    acts = [Act.BAN] * opening + [Act.PICK] * picks + [Act.BAN] * (bans - opening)
    steps = [Step(act, 1 + number % 2) for number, act in enumerate(acts)]
    return Script((*steps, Step(Act.DECIDER)) if has_decider else tuple(steps))


@dataclass(frozen=True, slots=True, kw_only=True)
class VetoSettings:
    """
    pool: the options; empty: there is no veto. scripts: by best-of, {"3": "1 ban, 2 ban, …"}; without one it is the
    preset. seconds: the time for each step, after which chance chooses; 0: no limit. sides: the two of a game.
    """

    pool: list[str] = field(default_factory=list)
    scripts: dict[str, str] = field(default_factory=dict)
    seconds: int = 0
    sides: list[str] = field(default_factory=lambda: ["Attack", "Defence"])

    def script(self, best_of: int) -> Script:
        """
        Return how the veto of a match goes.

        Raises:
            InvalidSettings: there is no script of its own, and the pool is too small for the preset.
        """
        own = self.scripts.get(str(best_of))
        return preset(best_of, len(self.pool)) if own is None else Script.parse(own)


def check(settings: VetoSettings) -> None:
    """
    Pass settings whose every script can be carried out.

    Raises:
        InvalidSettings: says which setting, and what it can be.
    """
    if settings.pool and not MIN_POOL <= len(settings.pool) <= MAX_POOL:
        message = _(
            "A pool has {least} to {most} to choose from; this one has {count}.",
            least=MIN_POOL,
            most=MAX_POOL,
            count=len(settings.pool),
        )
        raise InvalidSettings(message)
    _names(settings.pool, _("The pool"))
    _names(settings.sides, _("The sides of a game"))
    if len(settings.sides) != 2:  # noqa: PLR2004
        message = _("A game has two sides: give a name to each.")
        raise InvalidSettings(message)
    if not 0 <= settings.seconds <= MAX_SECONDS:
        message = _("The time for a step is a number of seconds from 0 to {most}.", most=MAX_SECONDS)
        raise InvalidSettings(message)
    for best_of, text in settings.scripts.items():
        if not _BEST_OF.fullmatch(best_of) or int(best_of) > MAX_GAMES:
            message = _("Scripts are given by best-of: a number from 1 to {most}.", most=MAX_GAMES)
            raise InvalidSettings(message)
        script = Script.parse(text)
        if settings.pool:
            script.check(pool=len(settings.pool), best_of=int(best_of))


def _names(names: list[str], what: Text) -> None:
    if any(not 0 < len(name) <= MAX_NAME for name in names):
        message = _("{what}: each name has 1 to {most} characters.", what=what, most=MAX_NAME)
        raise InvalidSettings(message)
    first_at: dict[str, int] = {}
    for number, name in enumerate(names, start=1):
        if (before := first_at.setdefault(name.casefold(), number)) != number:
            message = _("{what}: names {before} and {number} are the same.", what=what, before=before, number=number)
            raise InvalidSettings(message)


def _step(number: int, text: str) -> Step:
    found = _STEP.fullmatch(" ".join(text.split()))
    if found is None:
        message = _(
            "Step {number} of the script is not one. Steps are 1 ban, 2 ban, 1 pick, 2 pick, 1 side, 2 side "
            "and decider, with commas between them.",
            number=number,
        )
        raise InvalidSettings(message)
    who, act = found.groups()
    return Step(Act(act), 1 if who in ("1", "first") else 2) if act else Step(Act.DECIDER)


def _games(number: int) -> Text:
    return ngettext("{count} game", "{count} games", number)


def _bans(number: int) -> Text:
    return ngettext("{count} ban", "{count} bans", number)
