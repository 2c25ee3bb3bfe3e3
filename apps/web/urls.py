"""The addresses of the pages. Where a form posts to stands below the page that holds it."""

from django.urls import URLPattern, path

from apps.web.views import (
    accent,
    access,
    account,
    calendars,
    home,
    integrations,
    manage,
    matches,
    styleguide,
    tournaments,
)

urlpatterns: list[URLPattern] = [
    path("", home.home, name="home"),
    path("finished/", home.finished, name="finished"),
    path("new/", home.new, name="new"),
    path("new/create/", home.create, name="create"),
    path("me/", account.me, name="me"),
    path("me/schedule.ics", calendars.mine, name="my-calendar"),
    path("me/access/", access.access, name="access"),
    path("me/access/tokens/create/", access.create_token, name="create-token"),
    path("me/access/tokens/<int:token_id>/revoke/", access.revoke_token, name="revoke-token"),
    path("me/access/calendar/create/", access.create_calendar, name="create-calendar"),
    path("me/access/calendar/end/", access.end_calendar, name="end-calendar"),
    # A tournament
    path("t/<int:tournament_id>/", tournaments.overview, name="tournament"),
    path("t/<int:tournament_id>/bracket/", tournaments.bracket, name="bracket"),
    path("t/<int:tournament_id>/matches/", tournaments.matches, name="matches"),
    path("t/<int:tournament_id>/entrants/", tournaments.entrants, name="entrants"),
    path("t/<int:tournament_id>/activity/", tournaments.activity, name="activity"),
    path("t/<int:tournament_id>/schedule.ics", calendars.tournament, name="calendar"),
    path("t/<int:tournament_id>/register/", tournaments.enter, name="register"),
    *(
        path(
            f"t/<int:tournament_id>/entries/<int:entry_id>/{command}/",
            tournaments.entry_command,
            {"command": command},
            name=f"entry-{command}",
        )
        for command in ("withdraw", "check-in", "revert-check-in")
    ),
    # Its console
    path("t/<int:tournament_id>/manage/", manage.board, name="manage"),
    path("t/<int:tournament_id>/manage/entrants/", manage.entrants, name="manage-entrants"),
    path("t/<int:tournament_id>/manage/settings/", manage.settings, name="manage-settings"),
    path("t/<int:tournament_id>/manage/staff/", manage.staff, name="manage-staff"),
    *(
        path(f"t/<int:tournament_id>/manage/{step}/", manage.step, {"name": step}, name=f"step-{step}")
        for step in ("publish", "open-registration", "close-registration", "generate", "cancel")
    ),
    path("t/<int:tournament_id>/manage/entrants/add/", manage.add_entrants, name="add-entrants"),
    path("t/<int:tournament_id>/manage/entrants/seed/", manage.seed, name="seed"),
    path("t/<int:tournament_id>/manage/entrants/draw/", manage.draw, name="draw"),
    path("t/<int:tournament_id>/manage/settings/save/", manage.save_settings, name="save-settings"),
    path("t/<int:tournament_id>/manage/staff/add/", manage.add_member, name="add-member"),
    path("t/<int:tournament_id>/manage/staff/<int:user_id>/remove/", manage.remove_member, name="remove-member"),
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
    # A match
    path("m/<int:match_id>/", matches.match, name="match"),
    path("m/<int:match_id>/start/", matches.start, name="match-start"),
    path("m/<int:match_id>/step/", matches.step, name="match-step"),
    path("m/<int:match_id>/score/", matches.score, name="match-score"),
    path("m/<int:match_id>/finish/", matches.finish, name="match-finish"),
    path("m/<int:match_id>/report/", matches.report, name="match-report"),
    path("m/<int:match_id>/confirm/", matches.confirm, name="match-confirm"),
    path("m/<int:match_id>/walkover/", matches.walkover, name="match-walkover"),
    path("m/<int:match_id>/forfeit/", matches.forfeit, name="match-forfeit"),
    # For the pages themselves
    path("accent/<str:colours>.css", accent.accent, name="accent"),
    path("styleguide/", styleguide.styleguide, name="styleguide"),
]
