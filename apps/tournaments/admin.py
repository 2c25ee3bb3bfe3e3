"""
Everything of tournaments and teams, to be looked at.

What can be changed of them is changed by a service, through the pages that each row links to; an administrator may do
there what an organiser may.
"""

from typing import Any

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.read_only import ReadOnlyAdmin
from apps.tournaments.models import (
    Dispute,
    Entry,
    Evidence,
    Match,
    Member,
    Rating,
    Reopening,
    Stage,
    StageEntry,
    Station,
    Team,
    TeamMember,
    Tournament,
)


class _OfTournament(ReadOnlyAdmin):
    """Rows of one tournament; `via` leads to it."""

    via = "tournament"
    readonly_fields = ("console",)
    ordering = ("-pk",)

    @admin.display(description="")
    def console(self, row: Any) -> SafeString:
        tournament = row
        for name in self.via.split("__") if self.via else ():
            tournament = getattr(tournament, name)
        return format_html('<a href="{}">Manage</a>', reverse("manage", args=[tournament.pk]))


@admin.register(Tournament)
class TournamentAdmin(_OfTournament):
    via = ""
    list_display = ("name", "game", "status", "participation", "created_by", "created_at", "console")
    list_select_related = ("created_by",)
    list_filter = ("status", "participation", "rated")
    search_fields = ("name", "game", "=created_by__username", "=id")


@admin.register(Stage)
class StageAdmin(_OfTournament):
    list_display = ("tournament", "number", "name", "format", "state", "console")
    list_select_related = ("tournament",)
    list_filter = ("format", "state")
    search_fields = ("=tournament__name", "=tournament__id")


@admin.register(StageEntry)
class StageEntryAdmin(_OfTournament):
    via = "stage__tournament"
    list_display = ("entry", "stage", "seed", "group", "rank", "annulled", "console")
    list_select_related = ("entry", "stage__tournament")
    search_fields = ("entry__name", "=stage__tournament__id")


@admin.register(Entry)
class EntryAdmin(_OfTournament):
    list_display = ("name", "tournament", "user", "team", "status", "seed", "created_at", "console")
    list_select_related = ("tournament", "user", "team")
    list_filter = ("status",)
    search_fields = ("name", "=user__username", "=tournament__id")


@admin.register(Match)
class MatchAdmin(_OfTournament):
    list_display = ("number", "stage", "home", "away", "state", "home_score", "away_score", "winner", "console")
    list_select_related = ("tournament", "stage__tournament", "home", "away", "winner")
    list_filter = ("state", "reason")
    search_fields = ("home__name", "away__name", "=tournament__id", "=id")


@admin.register(Station)
class StationAdmin(_OfTournament):
    list_display = ("name", "tournament", "order", "console")
    list_select_related = ("tournament",)
    search_fields = ("name", "=tournament__id")


@admin.register(Member)
class MemberAdmin(_OfTournament):
    list_display = ("user", "tournament", "role", "console")
    list_select_related = ("user", "tournament")
    list_filter = ("role",)
    search_fields = ("=user__username", "=tournament__id")


@admin.register(Dispute)
class DisputeAdmin(_OfTournament):
    via = "match__tournament"
    list_display = ("match", "cause", "opened_by", "opened_at", "resolved_at", "resolved_by", "console")
    list_select_related = ("match__tournament", "resolved_by")
    list_filter = ("cause",)
    search_fields = ("=match__id", "=match__tournament__id")


@admin.register(Evidence)
class EvidenceAdmin(_OfTournament):
    via = "dispute__match__tournament"
    list_display = ("file", "dispute", "uploaded_by", "content_type", "size", "uploaded_at", "console")
    list_select_related = ("dispute__match__tournament", "uploaded_by")
    search_fields = ("=file", "=uploaded_by__username", "=dispute__match__id")


@admin.register(Reopening)
class ReopeningAdmin(_OfTournament):
    list_display = ("match", "tournament", "at", "undone_at", "console")
    list_select_related = ("match", "tournament")
    search_fields = ("=match__id", "=tournament__id")


@admin.register(Team)
class TeamAdmin(ReadOnlyAdmin):
    list_display = ("name", "tag", "captain", "created_at")
    list_select_related = ("captain",)
    search_fields = ("name", "tag", "=captain__username")
    ordering = ("-pk",)


@admin.register(TeamMember)
class TeamMemberAdmin(ReadOnlyAdmin):
    list_display = ("team", "user", "joined_at")
    list_select_related = ("team", "user")
    search_fields = ("team__name", "=user__username")
    ordering = ("-pk",)


@admin.register(Rating)
class RatingAdmin(ReadOnlyAdmin):
    list_display = ("game", "user", "team", "mu", "sigma", "matches")
    list_select_related = ("user", "team")
    search_fields = ("game", "=user__username", "team__name")
    ordering = ("game", "-mu")
