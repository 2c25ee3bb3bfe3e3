"""The addresses of the pages. Where a form posts to stands below the page that holds it."""

from django.urls import URLPattern, path

from apps.web.views import accent, account, history, home, manage, matches, reopening, stages, styleguide, tournaments

urlpatterns: list[URLPattern] = [
    path("", home.home, name="home"),
    path("finished/", home.finished, name="finished"),
    path("new/", home.new, name="new"),
    path("new/create/", home.create, name="create"),
    path("me/", account.me, name="me"),
    # A tournament
    path("t/<int:tournament_id>/", tournaments.overview, name="tournament"),
    path("t/<int:tournament_id>/bracket/", tournaments.bracket, name="bracket"),
    path("t/<int:tournament_id>/matches/", tournaments.matches, name="matches"),
    path("t/<int:tournament_id>/entrants/", tournaments.entrants, name="entrants"),
    path("t/<int:tournament_id>/activity/", tournaments.activity, name="activity"),
    path("t/<int:tournament_id>/history/", history.history, name="history"),
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
    path("t/<int:tournament_id>/manage/pair-round/", stages.pair_round, name="pair-round"),
    path("t/<int:tournament_id>/manage/stages/", stages.stages, name="manage-stages"),
    path("t/<int:tournament_id>/manage/stages/add/", stages.add, name="add-stage"),
    path("t/<int:tournament_id>/manage/stages/<int:stage_id>/save/", stages.save, name="save-stage"),
    path("t/<int:tournament_id>/manage/stages/<int:stage_id>/remove/", stages.remove, name="remove-stage"),
    path("t/<int:tournament_id>/manage/entrants/add/", manage.add_entrants, name="add-entrants"),
    path("t/<int:tournament_id>/manage/entrants/seed/", manage.seed, name="seed"),
    path("t/<int:tournament_id>/manage/entrants/draw/", manage.draw, name="draw"),
    path("t/<int:tournament_id>/manage/settings/save/", manage.save_settings, name="save-settings"),
    path("t/<int:tournament_id>/manage/staff/add/", manage.add_member, name="add-member"),
    path("t/<int:tournament_id>/manage/staff/<int:user_id>/remove/", manage.remove_member, name="remove-member"),
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
    path("m/<int:match_id>/cancel/", matches.cancel, name="match-cancel"),
    path("m/<int:match_id>/take-kept/", matches.take_kept, name="match-take-kept"),
    path("m/<int:match_id>/dispute/", matches.dispute, name="match-dispute"),
    path("m/<int:match_id>/evidence/", matches.evidence, name="match-evidence"),
    path("m/<int:match_id>/reopen/", reopening.reopen, name="match-reopen"),
    path("m/<int:match_id>/reopenings/<int:reopening_id>/undo/", reopening.undo, name="match-undo"),
    # For the pages themselves
    path("accent/<str:colours>.css", accent.accent, name="accent"),
    path("styleguide/", styleguide.styleguide, name="styleguide"),
]
