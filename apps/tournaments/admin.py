"""
Everything of tournaments and teams, to be looked at.

What can be changed of them is changed by a service, through the pages that each row links to; an administrator may do
there what an organiser may.
"""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.errors import AppError
from apps.read_only import ReadOnlyAdmin
from apps.tournaments.models import (
    Ban,
    Dispute,
    Entry,
    Evidence,
    Match,
    Member,
    Rating,
    Reopening,
    Report,
    StaffLink,
    Stage,
    StageEntry,
    Station,
    Team,
    TeamMember,
    Tournament,
)
from apps.tournaments.services import Actor, reports


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


@admin.register(StaffLink)
class StaffLinkAdmin(_OfTournament):
    list_display = ("pk", "tournament", "role", "used", "uses", "expires_at", "revoked_at", "console")
    list_select_related = ("tournament",)
    search_fields = ("=tournament__id",)
    exclude = ("nonce",)  # half of what opens it


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


@admin.register(Ban)
class BanAdmin(_OfTournament):
    list_display = ("user", "tournament", "reason", "created_by", "created_at", "console")
    list_select_related = ("user", "tournament", "created_by")
    search_fields = ("=user__username", "=tournament__id")


class _Open(admin.SimpleListFilter):
    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("open", _("Open")), ("over", _("Dealt with"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Report]) -> QuerySet[Report]:
        return queryset if self.value() is None else queryset.filter(resolved_at__isnull=self.value() == "open")


@admin.register(Report)
class ReportAdmin(ReadOnlyAdmin):
    """Reports of the whole site. Those about a tournament are for its staff as well, on the page that they lead to."""

    list_display = ("shown", "about", "reason", "text", "reporter", "created_at", "resolved_at", "resolved_by")
    list_select_related = ("tournament", "team", "entry", "evidence__dispute", "reporter", "resolved_by")
    list_filter = (_Open, "reason")
    search_fields = ("shown", "=reporter__username", "=tournament__id")
    ordering = ("-pk",)
    readonly_fields = ("about",)
    actions = ("resolve",)

    @admin.display(description=gettext_lazy("about"))
    def about(self, row: Report) -> SafeString:
        if row.team_id is not None:
            return format_html('<a href="{}">{}</a>', reverse("team", args=[row.team_id]), _("A team"))
        return format_html(
            '<a href="{}">{}</a>', reverse("manage-moderation", args=[row.tournament_id]), row.tournament
        )

    @admin.action(description=gettext_lazy("Dealt with"), permissions=["resolve"])
    def resolve(self, request: HttpRequest, queryset: QuerySet[Report]) -> None:
        for report in queryset.filter(resolved_at=None):
            try:
                reports.resolve(Actor(request.user), report.pk)
            except AppError as error:
                self.message_user(request, f"{report}: {error.message}", messages.ERROR)
            else:
                self.message_user(request, _("{report}: dealt with.").format(report=report))

    def has_resolve_permission(self, request: HttpRequest) -> bool:
        return request.user.is_superuser


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
