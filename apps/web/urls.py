"""The addresses of the pages. Where a form posts to stands below the page that holds it."""

from django.urls import URLPattern, path

from apps.web.overlay_options import KINDS
from apps.web.views import (
    accent,
    access,
    account,
    calendars,
    embeds,
    entries,
    files,
    history,
    home,
    integrations,
    manage,
    matches,
    moderation,
    oembed,
    overlay_console,
    overlays,
    personal,
    reopening,
    schedule,
    stages,
    styleguide,
    teams,
    tournaments,
    veto,
)

urlpatterns: list[URLPattern] = [
    path("", home.home, name="home"),
    path("finished/", home.finished, name="finished"),
    path("new/", home.new, name="new"),
    path("new/create/", home.create, name="create"),
    path("new/import/", files.import_tournament, name="import-tournament"),
    path("me/", account.me, name="me"),
    path("me/schedule.ics", calendars.mine, name="my-calendar"),
    path("me/access/", access.access, name="access"),
    path("me/access/tokens/create/", access.create_token, name="create-token"),
    path("me/access/tokens/<int:token_id>/revoke/", access.revoke_token, name="revoke-token"),
    path("me/access/calendar/create/", access.create_calendar, name="create-calendar"),
    path("me/access/calendar/end/", access.end_calendar, name="end-calendar"),
    path("me/data/", personal.data, name="my-data"),
    path("me/data/download/", personal.download, name="download-data"),
    path("me/delete/", personal.delete, name="delete-account"),
    # A tournament
    path("t/<int:tournament_id>/", tournaments.overview, name="tournament"),
    path("t/<int:tournament_id>/bracket/", tournaments.bracket, name="bracket"),
    path("t/<int:tournament_id>/matches/", tournaments.matches, name="matches"),
    path("t/<int:tournament_id>/entrants/", tournaments.entrants, name="entrants"),
    path("t/<int:tournament_id>/schedule/", schedule.public, name="schedule"),
    path("t/<int:tournament_id>/activity/", tournaments.activity, name="activity"),
    path("t/<int:tournament_id>/register/", entries.enter, name="register"),
    path("t/<int:tournament_id>/entries/<int:entry_id>/", entries.entry, name="entry"),
    path("t/<int:tournament_id>/entries/<int:entry_id>/report/", moderation.report_entry, name="entry-report"),
    path("t/<int:tournament_id>/entries/<int:entry_id>/rename/", entries.rename, name="entry-rename"),
    path("t/<int:tournament_id>/entries/<int:entry_id>/roster/", entries.roster, name="entry-roster"),
    path("t/<int:tournament_id>/history/", history.history, name="history"),
    path("t/<int:tournament_id>/schedule.ics", calendars.tournament, name="calendar"),
    *(
        path(
            f"t/<int:tournament_id>/entries/<int:entry_id>/{command}/",
            entries.command,
            {"name": command},
            name=f"entry-{command}",
        )
        for command in entries.COMMANDS
    ),
    # Its console
    path("t/<int:tournament_id>/manage/", manage.board, name="manage"),
    path("t/<int:tournament_id>/manage/entrants/", manage.entrants, name="manage-entrants"),
    path("t/<int:tournament_id>/manage/settings/", manage.settings, name="manage-settings"),
    path("t/<int:tournament_id>/manage/files/", files.files, name="manage-files"),
    path("t/<int:tournament_id>/manage/staff/", manage.staff, name="manage-staff"),
    *(
        path(f"t/<int:tournament_id>/manage/{step}/", manage.step, {"name": step}, name=f"step-{step}")
        for step in ("publish", "open-registration", "close-registration", "generate", "cancel")
    ),
    path("t/<int:tournament_id>/manage/pair-round/", stages.pair_round, name="pair-round"),
    path("t/<int:tournament_id>/manage/stages/", stages.stages, name="manage-stages"),
    path("t/<int:tournament_id>/manage/stages/add/", stages.add, name="add-stage"),
    path("t/<int:tournament_id>/manage/stages/<int:stage_id>/save/", stages.save, name="save-stage"),
    path("t/<int:tournament_id>/manage/stages/<int:stage_id>/remove/", stages.remove, name="remove-stage"),
    path("t/<int:tournament_id>/manage/entrants/add/", manage.add_entrants, name="add-entrants"),
    path("t/<int:tournament_id>/manage/entrants/rules/", entries.save_rules, name="save-rules"),
    path("t/<int:tournament_id>/manage/entrants/new-code/", entries.new_code, name="new-code"),
    path("t/<int:tournament_id>/manage/entrants/import/", files.import_entries, name="import-entries"),
    path("t/<int:tournament_id>/manage/entrants/seed-by-rating/", manage.seed_by_rating, name="seed-by-rating"),
    path("t/<int:tournament_id>/manage/entrants/seed/", manage.seed, name="seed"),
    path("t/<int:tournament_id>/manage/entrants/draw/", manage.draw, name="draw"),
    path("t/<int:tournament_id>/manage/settings/save/", manage.save_settings, name="save-settings"),
    path("t/<int:tournament_id>/manage/stages/<int:stage_id>/veto/save/", veto.save_settings, name="save-veto"),
    path("t/<int:tournament_id>/manage/staff/add/", manage.add_member, name="add-member"),
    path("t/<int:tournament_id>/manage/staff/<int:user_id>/remove/", manage.remove_member, name="remove-member"),
    path("t/<int:tournament_id>/manage/schedule/", schedule.console, name="manage-schedule"),
    path("t/<int:tournament_id>/manage/schedule/plan/", schedule.plan, name="plan"),
    path("t/<int:tournament_id>/manage/schedule/stations/add/", schedule.add_station, name="add-station"),
    *(
        path(f"t/<int:tournament_id>/manage/schedule/stations/<int:station_id>/{step}/", view, name=f"{step}-station")
        for step, view in (("rename", schedule.rename_station), ("remove", schedule.remove_station))
    ),
    path("t/<int:tournament_id>/manage/integrations/", integrations.integrations, name="manage-integrations"),
    path("t/<int:tournament_id>/manage/integrations/add/", integrations.add, name="add-integration"),
    *(
        path(
            f"t/<int:tournament_id>/manage/integrations/<int:integration_id>/{name}/",
            view,
            name=f"{name}-integration",
        )
        for name, view in (
            ("save", integrations.save),
            ("switch", integrations.switch),
            ("remove", integrations.remove),
            ("test", integrations.test),
            ("replay", integrations.replay),
        )
    ),
    path("t/<int:tournament_id>/manage/moderation/", moderation.moderation, name="manage-moderation"),
    path("t/<int:tournament_id>/manage/reports/<int:report_id>/resolve/", moderation.resolve, name="resolve-report"),
    path("t/<int:tournament_id>/manage/bans/add/", moderation.ban, name="ban"),
    path("t/<int:tournament_id>/manage/bans/<int:user_id>/remove/", moderation.unban, name="unban"),
    path("t/<int:tournament_id>/manage/on-stream/", overlay_console.set_on_stream, name="set-on-stream"),
    path("t/<int:tournament_id>/manage/overlays/", overlay_console.overlays, name="manage-overlays"),
    path("t/<int:tournament_id>/manage/overlays/renew/", overlay_console.renew, name="renew-overlays"),
    # For broadcasts and other sites
    *(
        path(f"overlay/<int:tournament_id>/{kind}/", overlays.overlay, {"kind": kind}, name=f"overlay-{kind}")
        for kind in KINDS
    ),
    path("embed/t/<int:tournament_id>/bracket/", embeds.bracket, name="embed-bracket"),
    path("embed/t/<int:tournament_id>/standings/", embeds.standings, name="embed-standings"),
    path("embed/t/<int:tournament_id>/matches/", embeds.matches, name="embed-matches"),
    path("embed/t/<int:tournament_id>/matches/<int:match_id>/", embeds.match, name="embed-match"),
    path("oembed", oembed.oembed, name="oembed"),
    # A match
    path("m/<int:match_id>/", matches.match, name="match"),
    path("m/<int:match_id>/check-in/", matches.check_in, name="match-check-in"),
    path("m/<int:match_id>/start/", matches.start, name="match-start"),
    path("m/<int:match_id>/step/", matches.step, name="match-step"),
    path("m/<int:match_id>/score/", matches.score, name="match-score"),
    path("m/<int:match_id>/finish/", matches.finish, name="match-finish"),
    path("m/<int:match_id>/report/", matches.report, name="match-report"),
    path("m/<int:match_id>/confirm/", matches.confirm, name="match-confirm"),
    path("m/<int:match_id>/walkover/", matches.walkover, name="match-walkover"),
    path("m/<int:match_id>/forfeit/", matches.forfeit, name="match-forfeit"),
    path("m/<int:match_id>/schedule/", schedule.book, name="match-schedule"),
    path("m/<int:match_id>/call/", schedule.call, name="match-call"),
    path("m/<int:match_id>/deadline/", schedule.extend_deadline, name="match-deadline"),
    path("m/<int:match_id>/cancel/", matches.cancel, name="match-cancel"),
    path("m/<int:match_id>/take-kept/", matches.take_kept, name="match-take-kept"),
    path("m/<int:match_id>/dispute/", matches.dispute, name="match-dispute"),
    path("m/<int:match_id>/evidence/", matches.evidence, name="match-evidence"),
    path("m/<int:match_id>/reopen/", reopening.reopen, name="match-reopen"),
    path("m/<int:match_id>/reopenings/<int:reopening_id>/undo/", reopening.undo, name="match-undo"),
    path("evidence/<int:evidence_id>/report/", moderation.report_evidence, name="evidence-report"),
    path("evidence/<int:evidence_id>/hide/", moderation.hide, {"hidden": True}, name="evidence-hide"),
    path("evidence/<int:evidence_id>/show/", moderation.hide, {"hidden": False}, name="evidence-show"),
    path("m/<int:match_id>/veto/start/", veto.start, name="veto-start"),
    path("m/<int:match_id>/veto/move/", veto.move, name="veto-move"),
    path("m/<int:match_id>/veto/reset/", veto.reset, name="veto-reset"),
    # Teams
    path("teams/", teams.index, name="teams"),
    path("teams/create/", teams.create, name="create-team"),
    path("teams/<int:team_id>/", teams.team, name="team"),
    path("teams/<int:team_id>/report/", moderation.report_team, name="team-report"),
    path("teams/<int:team_id>/edit/", teams.edit, name="team-edit"),
    path("teams/<int:team_id>/invite/", teams.invite, name="team-invite"),
    *(
        path(f"teams/<int:team_id>/{command}/", teams.command, {"name": command}, name=f"team-{command}")
        for command in teams.COMMANDS
    ),
    *(
        path(
            f"teams/<int:team_id>/people/<int:user_id>/{command}/",
            teams.about_person,
            {"name": command},
            name=f"team-person-{command}",
        )
        for command in teams.ABOUT_PEOPLE
    ),
    # For the pages themselves
    path("accent/<str:colours>.css", accent.accent, name="accent"),
    path("styleguide/", styleguide.styleguide, name="styleguide"),
]
