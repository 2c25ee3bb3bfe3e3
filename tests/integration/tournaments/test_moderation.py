"""Reports go to those who can do something about them; who is banned stays out, alone and with a team."""

from datetime import timedelta

import pytest

from apps.errors import BadRequest, Conflict, NotFound, PermissionDenied, RateLimited
from apps.eventlog import log
from apps.eventlog.log import PUBLIC, STAFF
from apps.tournaments.models import Ban, Entry, EntryStatus, Report
from apps.tournaments.selectors import moderation
from apps.tournaments.selectors.disputes import evidence_for
from apps.tournaments.services import Actor, admission, bans, entries, reports, rosters, teams, tournaments
from apps.tournaments.services.reports import MOST_AN_HOUR
from tests import factories
from tests.integration.tournaments.test_entries import the_log_is_the_state
from tests.integration.tournaments.test_permissions import with_image

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("media")]


@pytest.fixture
def cup():
    return factories.open_with_entries(2)


@pytest.fixture
def somebody():
    return factories.make_user("sam")


def organizer(cup):
    return Actor(cup.created_by)


class TestReports:
    def test_a_report_says_what_stood_there_also_when_it_has_been_renamed_since(self, cup, somebody):
        entry = cup.entries.first()
        name = entry.name
        reports.report_entry(Actor(somebody), entry.pk, reason="offensive", text=" It is\n rude. ")
        entries.update(organizer(cup), entry.pk, name="Fine")
        [report] = moderation.reports_in(cup)
        assert (report.shown, report.entry.name, report.text) == (name, "Fine", "It is\nrude.")
        assert (report.reporter, report.resolved_at, moderation.open_reports(cup)) == (somebody, None, 1)

    def test_the_same_is_reported_once_until_it_was_dealt_with(self, cup, somebody):
        entry = cup.entries.first()
        first = reports.report_entry(Actor(somebody), entry.pk, reason="spam").ids["report_id"]
        with pytest.raises(Conflict, match="You have reported this already"):
            reports.report_entry(Actor(somebody), entry.pk, reason="other")
        reports.report_entry(Actor(factories.make_user()), entry.pk, reason="other")
        reports.resolve(organizer(cup), first, note="Asked them to change it.")
        with pytest.raises(Conflict, match="dealt with already"):
            reports.resolve(organizer(cup), first)
        reports.report_entry(Actor(somebody), entry.pk, reason="other")
        assert [r.note for r in moderation.reports_in(cup)] == ["", "", "Asked them to change it."]

    def test_so_many_an_hour_of_one_person(self, somebody):
        crowd = factories.open_with_entries(MOST_AN_HOUR + 1, capacity=16)
        rows = list(crowd.entries.order_by("pk"))
        for entry in rows[:MOST_AN_HOUR]:
            reports.report_entry(Actor(somebody), entry.pk, reason="spam")
        with pytest.raises(RateLimited, match="10 reports in the last hour"):
            reports.report_entry(Actor(somebody), rows[-1].pk, reason="spam")
        reports.report_entry(Actor(factories.make_user()), rows[-1].pk, reason="spam")
        oldest = Report.objects.order_by("pk").first()
        Report.objects.filter(pk=oldest.pk).update(created_at=oldest.created_at - timedelta(hours=1))
        reports.report_entry(Actor(somebody), rows[-1].pk, reason="spam")

    def test_a_report_names_a_reason(self, cup, somebody):
        with pytest.raises(BadRequest, match="The reason is one of"):
            reports.report_entry(Actor(somebody), cup.entries.first().pk, reason="boring")

    def test_a_team_is_for_the_administrators_of_the_site(self, somebody):
        captain = factories.make_user()
        team_id = teams.create(Actor(captain), name="Rude").ids["team_id"]
        report_id = reports.report_team(Actor(somebody), team_id, reason="offensive").ids["report_id"]
        for person in (somebody, captain):
            with pytest.raises(PermissionDenied):
                reports.resolve(Actor(person), report_id)
        reports.resolve(Actor(factories.make_user(is_superuser=True)), report_id)
        assert Report.objects.get(pk=report_id).resolved_at

    def test_the_staff_of_another_tournament_cannot_deal_with_it(self, cup, somebody):
        report_id = reports.report_entry(Actor(somebody), cup.entries.first().pk, reason="spam").ids["report_id"]
        with pytest.raises(PermissionDenied):
            reports.resolve(organizer(factories.open_with_entries(1)), report_id)

    def test_of_a_draft_nothing_can_be_told(self, somebody):
        draft = factories.make_tournament()
        entry_id = entries.add(organizer(draft), draft.pk, name="Secret").ids["entry_id"]
        for attempt in (
            lambda: reports.report_entry(Actor(somebody), entry_id, reason="spam"),
            lambda: moderation.entry_for(somebody, entry_id),
        ):
            with pytest.raises(NotFound, match="There is no such entry"):
                attempt()


class TestImages:
    def test_hidden_an_image_is_for_the_staff_and_its_reports_are_dealt_with(self):
        scene = with_image()
        image, player, referee = scene.image, scene.by("player"), scene.by("referee")
        assert evidence_for(player.user, image.pk) == image
        reports.hide_evidence(referee, image.pk)
        with pytest.raises(NotFound):
            evidence_for(player.user, image.pk)
        with pytest.raises(NotFound):
            reports.report_evidence(player, image.pk, reason="private")
        hidden = evidence_for(referee.user, image.pk)
        assert (hidden.hidden_by, scene.report.note) == (referee.user, "Hidden.")
        with pytest.raises(Conflict, match="hidden already"):
            reports.hide_evidence(referee, image.pk)
        reports.hide_evidence(referee, image.pk, hidden=False)
        assert evidence_for(player.user, image.pk).hidden_at is None


class TestBans:
    def test_who_is_banned_is_disqualified_and_cannot_come_back(self, cup):
        entry = cup.entries.first()
        bans.ban(organizer(cup), cup.pk, username=entry.user.username.upper(), reason="Cheated  twice")
        assert Entry.objects.get(pk=entry.pk).status == EntryStatus.DISQUALIFIED
        assert Ban.objects.get().reason == "Cheated twice"
        with pytest.raises(PermissionDenied, match="You are banned from this tournament"):
            entries.register(Actor(entry.user), cup.pk)
        with pytest.raises(Conflict, match="is banned from this tournament"):
            admission.approve(organizer(cup), entry.pk)
        bans.unban(organizer(cup), cup.pk, entry.user_id)
        admission.approve(organizer(cup), entry.pk)
        assert Entry.objects.get(pk=entry.pk).status == EntryStatus.CONFIRMED
        the_log_is_the_state(cup)

    def test_during_play_the_opponent_walks_over(self):
        cup = factories.drawn(2)
        entry = cup.entries.first()
        bans.ban(organizer(cup), cup.pk, username=entry.user.username)
        assert factories.match_number(cup, 1).winner_id not in (None, entry.pk)
        the_log_is_the_state(cup)

    def test_somebody_who_has_never_entered_and_of_a_tournament_that_is_over(self, cup, somebody):
        bans.ban(organizer(cup), cup.pk, username="sam")
        with pytest.raises(PermissionDenied, match="banned"):
            entries.register(Actor(somebody), cup.pk)
        over = factories.drawn(2)
        factories.play(over)
        loser = over.entries.order_by("-seed").first()
        bans.ban(organizer(over), over.pk, username=loser.user.username)
        assert Entry.objects.get(pk=loser.pk).status == EntryStatus.CONFIRMED

    def test_no_team_enters_with_somebody_who_is_banned(self, somebody):
        cup = factories.open_registration(factories.make_tournament(participation="team", roster_min=1))
        captain = factories.make_user()
        team_id = teams.create(Actor(captain), name="Rooks").ids["team_id"]
        teams.invite(Actor(captain), team_id, username="sam")
        teams.accept(Actor(somebody), team_id)
        entry_id = entries.register(Actor(captain), cup.pk, team_id=team_id, roster=[captain.pk]).ids["entry_id"]
        bans.ban(organizer(cup), cup.pk, username="sam")
        with pytest.raises(Conflict, match="sam is banned"):
            rosters.update(Actor(captain), entry_id, players=[captain.pk, somebody.pk])
        bans.ban(organizer(cup), cup.pk, username=captain.username)
        assert Entry.objects.get(pk=entry_id).status == EntryStatus.CONFIRMED, "the team stays, for the staff to decide"

    @pytest.mark.parametrize(
        ("who", "sentence"),
        [("nobody", "Nobody has this user name"), ("rita", "is on the staff"), ("root", "is on the staff")],
    )
    def test_who_cannot_be_banned(self, cup, who, sentence):
        factories.make_user("rita")
        factories.make_user("root", is_superuser=True)
        tournaments.add_member(organizer(cup), cup.pk, username="rita", role=2)
        with pytest.raises((Conflict, NotFound), match=sentence):
            bans.ban(organizer(cup), cup.pk, username=who)

    def test_twice_changes_nothing(self, cup, somebody):
        bans.ban(organizer(cup), cup.pk, username="sam")
        with pytest.raises(Conflict, match="banned already"):
            bans.ban(organizer(cup), cup.pk, username="sam")
        bans.unban(organizer(cup), cup.pk, somebody.pk)
        with pytest.raises(NotFound, match="not banned"):
            bans.unban(organizer(cup), cup.pk, somebody.pk)

    def test_the_staff_alone_sees_it_in_the_log(self, cup, somebody):
        bans.ban(organizer(cup), cup.pk, username="sam")
        bans.unban(organizer(cup), cup.pk, somebody.pk)
        seen = {
            audience: [event.type for event in log.read(cup.stream, after=0, limit=100, audiences=[audience])]
            for audience in (PUBLIC, STAFF)
        }
        assert seen[STAFF][-2:] == ["user_banned", "user_unbanned"]
        assert not any(kind.endswith("banned") for kind in seen[PUBLIC])
