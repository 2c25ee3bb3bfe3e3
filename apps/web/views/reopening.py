"""Take a result back or correct it: first the preview, then the deed, then for a while the way back."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST

from apps.errors import AppError
from apps.eventlog.log import PUBLIC
from apps.tournaments import permissions
from apps.tournaments.selectors import lists
from apps.tournaments.selectors.snapshots import tournament_snapshot
from apps.tournaments.services import Actor, Done, reopening
from apps.web.commands import actor, carry_out
from apps.web.pages import Failure, page, show
from apps.web.present.bracket import drawing
from apps.web.present.effects import effects_shown
from apps.web.present.marks import marks_of, stages_touched
from apps.web.present.names import names_of
from apps.web.present.shown import MatchShown, match_shown
from apps.web.present.stages import within
from apps.web.scores import score_given
from apps.words import gettext, said
from engine.stages import Format


def reopen(request: HttpRequest, match_id: int, *, failure: Failure | None = None) -> HttpResponse:
    """Show what reopening would undo (GET), or reopen (POST) if it is still that."""
    if request.method != "POST" or failure is not None:
        return preview(request, match_id=match_id, failure=failure)

    def act() -> Done:
        token = request.POST.get("token", "")
        return reopening.reopen(actor(request), match_id, token=token, score=score_given(request.POST))

    return carry_out(
        request,
        act,
        form=f"reopen-{match_id}",
        done=gettext("Done. You can undo this as long as nothing else happens."),
        host=reverse("match-reopen", args=[match_id]),
        back=lambda _done: reverse("match", args=[match_id]),
        undo=lambda done: reverse("match-undo", args=[match_id, done.ids["reopening_id"]]),
    )


@page
def preview(request: HttpRequest, *, match_id: int, failure: Failure | None = None) -> HttpResponse:
    """
    Show in words what would be undone; with a score in the query, by correcting the result instead.

    A score that makes no sense is said on the page, and the preview without it is shown.
    """
    row, role = lists.match_for(request.user, match_id)
    permissions.require("reopen_match", request.user, role)
    state = tournament_snapshot(row.tournament_id, audience=PUBLIC).data
    names = names_of(state)
    sent = request.POST if failure is not None else request.GET
    context: dict[str, Any] = {
        "t": state["tournament"],
        "m": match_shown(state, state["matches"][str(match_id)]),
        "refusal": "",
    }
    context |= {"place": names.place(context["m"]), **_typed(context["m"], sent)}
    try:
        score = score_given(sent)
        effects = reopening.preview(Actor(request.user), match_id, score=score)
    except AppError as error:
        context["refusal"] = said(error.text)
        return show(request, "web/match/reopen.html", context, failure=failure)
    shown = effects_shown(
        state,
        names,
        voided=effects.voided,
        live=effects.live,
        leaving=effects.leaving,
        withdrawn=effects.withdrawn,
    )
    marks = marks_of(effects, state)
    context |= {
        "effects": shown,
        "token": effects.token,
        "score": score,
        "marks": marks,
        "drawings": [
            (names.stage(stage), drawing(within(state, state["stages"][str(stage)])))
            for stage in stages_touched(marks, state)
            if not Format(state["stages"][str(stage)]["format"]).is_league
        ],
    }
    return show(request, "web/match/reopen.html", context, failure=failure)


def _typed(match: MatchShown, sent: Mapping[str, str]) -> dict[str, Any]:
    """Return the inputs of a correction, a label and (name, typed, as it stands) of both sides, and what is typed."""
    if match.best_of > 1:
        now = [text.partition("–")[::2] for text in match.game]
        rows = [
            (gettext("Game {number}", number=n), f"game{n}_home", f"game{n}_away", *game)
            for n, game in enumerate(now, start=1)
        ]
        rows.append((gettext("Games won"), "home_score", "away_score", match.home.score, match.away.score))
    else:
        rows = [(gettext("Score"), "home_score", "away_score", match.home.score, match.away.score)]
        if not match.is_league:
            rows.append(
                (gettext("Shootout"), "home_shootout", "away_shootout", match.home.shootout, match.away.shootout)
            )
    inputs = [
        (label, (home, sent.get(home, ""), home_now), (away, sent.get(away, ""), away_now))
        for label, home, away, home_now, away_now in rows
    ]
    fields = [(name, value) for _, *both in inputs for name, value, _ in both if value.strip()]
    return {"inputs": inputs, "fields": fields}


@require_POST
def undo(request: HttpRequest, match_id: int, reopening_id: int) -> HttpResponse:
    """Put everything back as it was before the reopening."""
    return carry_out(
        request,
        lambda: reopening.undo(actor(request), reopening_id),
        form=f"undo-{reopening_id}",
        done=gettext("Undone. Everything stands as it did before."),
        host=reverse("match", args=[match_id]),
    )
