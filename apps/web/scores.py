"""Scores in forms: two numbers, a shootout, or the score of each game."""

import re
from collections.abc import Mapping

from django import forms
from django.utils.translation import gettext_lazy

from apps.errors import BadRequest
from apps.tournaments.services.matches import to_score
from apps.web.commands import cleaned
from engine.match_flow import MAX_GAMES, MAX_POINTS, Score
from engine.text import gettext as _

MAX_DIGITS = 4
_PICKED = re.compile(r"(\d{1,2})-(\d{1,2})", re.ASCII)
_NUMBER = {"required": gettext_lazy("is missing."), "invalid": gettext_lazy("is not a whole number.")}


class ScoreForm(forms.Form):
    """Points of both sides; the shootout is left empty unless it decided a level score."""

    home_score = forms.IntegerField(label=gettext_lazy("Score"), error_messages=_NUMBER)
    away_score = forms.IntegerField(label=gettext_lazy("Score"), error_messages=_NUMBER)
    home_shootout = forms.IntegerField(label=gettext_lazy("Shootout"), required=False, error_messages=_NUMBER)
    away_shootout = forms.IntegerField(label=gettext_lazy("Shootout"), required=False, error_messages=_NUMBER)


class StepForm(ScoreForm):
    """One point more or less: the score as the page shows it, and "home+" or "away-"."""

    step = forms.ChoiceField(choices=[(f"{side}{sign}", "") for side in ("home", "away") for sign in "+-"])


def score_in(sent: Mapping[str, str]) -> Score:
    """
    Return the score in a form: that of its games (`game1_home`, `game1_away`, …) when they are filled in, else its
    numbers.

    Raises:
        BadRequest: the numbers make no score.
    """
    games = games_in(sent)
    form = ScoreForm(sent)
    for side in ("home", "away"):
        form.fields[f"{side}_score"].required = not games
    values = cleaned(form)
    shootout = values["home_shootout"], values["away_shootout"]
    return to_score(values["home_score"], values["away_score"], *shootout, games)


def games_in(sent: Mapping[str, str]) -> list[tuple[int, int]]:
    """
    Return the scores of the games that are filled in.

    Raises:
        BadRequest: something that is no number, or a game left out before one that was played.
    """
    games: list[tuple[int, int]] = []
    for number in range(1, MAX_GAMES + 1):
        home, away = (sent.get(f"game{number}_{side}", "").strip() for side in ("home", "away"))
        if not home and not away:
            continue
        if number > len(games) + 1:
            raise BadRequest(
                _("Game {number} has no score; fill in the games in order.", number=len(games) + 1), field="games"
            )
        if not all(text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS for text in (home, away)):
            raise BadRequest(_("Game {number} needs a whole number for both sides.", number=number), field="games")
        games.append((int(home), int(away)))
    return games


def score_given(sent: Mapping[str, str]) -> Score | None:
    """Return the score in a form, or None when nothing is filled in."""
    numbers = [text for name, text in sent.items() if name.endswith(("_score", "_shootout")) or name.startswith("game")]
    return score_in(sent) if any(str(text).strip() for text in numbers) else None


def stated_in(sent: Mapping[str, str]) -> Score:
    """
    Return the result in a player's form: who `won`, with the score chosen for that, or a score that is written out.

    Raises:
        BadRequest: neither, or both and they do not agree.
    """
    won = sent.get("won", "")
    picked = _PICKED.fullmatch(sent.get(f"result_{won}", ""))
    score = score_given(sent)
    if score is None:
        if won not in ("home", "away", "draw"):
            raise BadRequest(_("Choose who won, or write the score."), field="won")
        if picked is None:
            raise BadRequest(_("Choose the score, too."), field="result")
        return to_score(int(picked[1]), int(picked[2]))
    winner = score.winner()
    chosen = picked is not None and f"{score.home}-{score.away}" != picked[0] and "game1_home" in sent
    if (won and won != (winner.value if winner else "draw")) or chosen:
        raise BadRequest(_("Who won and the score do not fit together. Check both."), field="won")
    return score


def stepped(sent: Mapping[str, str]) -> Score:
    """Return the score after one step; it stays between 0 and the most there can be. A step ends a shootout."""
    values = cleaned(StepForm(sent))
    side, sign = values["step"][:-1], values["step"][-1]
    points = {"home": values["home_score"], "away": values["away_score"]}
    points[side] = min(max(points[side] + (1 if sign == "+" else -1), 0), MAX_POINTS)
    return to_score(points["home"], points["away"])
