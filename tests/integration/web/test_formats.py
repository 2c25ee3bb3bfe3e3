"""The pages of every format, at every moment: as it is now, and as it was."""

import re

import pytest

from apps.eventlog.models import Event
from apps.tournaments.models import Match
from apps.tournaments.selectors.standings import tables_of
from apps.tournaments.services import Actor, brackets, entries, matches, reopening, stages, tournaments
from engine.match_flow import Score
from engine.stages import Format
from tests import factories

pytestmark = pytest.mark.django_db

TABS = ("", "bracket/", "matches/", "entrants/", "activity/", "history/")
KINDS = {
    "single": {"format": Format.SINGLE_ELIMINATION},
    "double": {"format": Format.DOUBLE_ELIMINATION, "stage": {"best_of": 3}},
    "round robin": {"format": Format.ROUND_ROBIN},
    "groups": {"format": Format.ROUND_ROBIN, "stage": {"groups": 2, "advance": 2}},
    "swiss": {"format": Format.SWISS},
}


def level(match):
    """Every third match of a league is a draw, the rest goes to the better seed."""
    if match.stage.is_league and match.number % 3 == 0:
        return Score(1, 1)
    wins = match.best_of // 2 + 1
    return Score(wins, 0) if match.home.seed < match.away.seed else Score(0, wins)


def text_of(html):
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def cards(html):
    """What the cards of a page say, by the match's id."""
    found = re.findall(r'<article class="match".*?data-match="(\d+)" data-state="(\w+)".*?</article>', html, re.DOTALL)
    texts = re.findall(r'<article class="match".*?</article>', html, re.DOTALL)
    return {number: (state, text_of(text)) for (number, state), text in zip(found, texts, strict=True)}


def rows(html):
    """The lines of the tables of a page, as text."""
    return [text_of(row) for row in re.findall(r'<tr class="line.*?</tr>', html, re.DOTALL)]


@pytest.mark.parametrize(
    ("kind", "entrants"),
    [
        ("single", 2),
        ("single", 5),
        ("double", 2),
        ("double", 5),
        ("round robin", 4),
        ("groups", 6),
        ("swiss", 2),
        ("swiss", 5),
    ],
)
def test_every_page_can_be_read_at_every_moment(visitor, kind, entrants):
    cup = factories.drawn(entrants, **KINDS[kind])
    organizer, player = visitor(cup.created_by), visitor(cup.entries.first().user)
    for played in (0, 2, 1000):
        factories.play(cup, level, matches_at_most=played)
        for tab in (*TABS, "bracket/?view=tv", "manage/", "manage/stages/"):
            assert organizer.open(f"/t/{cup.pk}/{tab}").response.status_code == 200, (tab, played)
        for path in (f"/t/{cup.pk}/", "/me/", *(f"/m/{match.pk}/" for match in cup.matches.all())):
            assert player.open(path).response.status_code == 200, (path, played)
    assert factories.fresh(cup).champion or kind == "groups"


LARGE = {kind: KINDS[kind] for kind in ("single", "double", "swiss")}
LARGE["groups"] = {
    "format": Format.ROUND_ROBIN,
    "stage": {"groups": 32, "advance": 1},
}  # all against all: 8,128 matches


@pytest.mark.parametrize(
    ("entrants", "played_as"),
    [*((16, played_as) for played_as in KINDS.values()), *((128, played_as) for played_as in LARGE.values())],
)
def test_a_page_takes_as_many_queries_however_many_play(visitor, entrants, played_as, django_assert_max_num_queries):
    cup = factories.make_tournament(capacity=128, **played_as)
    by = Actor(cup.created_by)
    for n in range(entrants - 1):
        entries.add(by, cup.pk, name=f"Entrant {n}")
    factories.publish(cup)
    tournaments.open_registration(by, cup.pk)
    player = factories.make_user()
    factories.enter(cup, player)
    factories.draw(cup)
    factories.play(cup, level, matches_at_most=6)
    match = cup.matches.filter(state="ready").first()
    for person in (None, player, cup.created_by) if entrants == 16 else (cup.created_by,):
        browser = visitor(person)
        for path in ("/", *(f"/t/{cup.pk}/{tab}" for tab in TABS), f"/t/{cup.pk}/bracket/?view=tv", f"/m/{match.pk}/"):
            with django_assert_max_num_queries(12):
                browser.open(path)
            assert browser.response.status_code == 200
    for path in (f"/t/{cup.pk}/manage/", f"/t/{cup.pk}/manage/stages/"):
        with django_assert_max_num_queries(12):
            browser.open(path)
        assert browser.response.status_code == 200


@pytest.mark.parametrize("kind", KINDS)
def test_any_past_moment_looks_as_the_page_did_then(visitor, kind):
    cup = factories.drawn(6, **KINDS[kind])
    guest, moments = visitor(), []
    for _ in range(8):
        factories.play(cup, level, matches_at_most=1)
        html = guest.open(f"/t/{cup.pk}/bracket/").html
        moments.append((Event.objects.latest("seq").seq, cards(html), rows(html)))
    assert moments[-1][1]
    for seq, then_cards, then_rows in moments:
        html = guest.open(f"/t/{cup.pk}/history/?at={seq}&region=past").html
        assert (cards(html), rows(html)) == (then_cards, then_rows)


class TestDoubleElimination:
    @pytest.fixture
    def cup(self):
        return factories.drawn(6, format=Format.DOUBLE_ELIMINATION)

    def test_both_brackets_and_the_final_between_them(self, visitor, cup):
        html = visitor().open(f"/t/{cup.pk}/bracket/").html
        assert re.findall(r'class="part__head">([^<]+)<', html) == ["Upper bracket", "Lower bracket", "Grand final"]
        assert len(cards(html)) == Match.objects.filter(tournament=cup).count() == 11
        assert "If needed" in html

    def test_a_reset_that_is_not_needed_says_so(self, visitor, cup):
        factories.play(cup)
        html = visitor().open(f"/t/{cup.pk}/bracket/").html
        reset = cup.matches.get(bracket="grand_final", round=2)
        state, text = cards(html)[str(reset.pk)]
        assert (state, "Not needed" in text) == ("cancelled", True)
        assert "there is no reset" in visitor().open(f"/m/{reset.pk}/").text
        assert "11 of 11 matches done" in text_of(html)


class TestLeagues:
    def test_a_table_is_that_of_the_engine_with_its_reasons(self, visitor):
        cup = factories.drawn(7, format=Format.SWISS)
        factories.play(cup, level, matches_at_most=7)
        names = {entry.pk: entry.name for entry in cup.entries.all()}
        (table,) = tables_of(cup.stages.get()).values()
        lines = rows(visitor().open(f"/t/{cup.pk}/bracket/").html)
        assert len(lines) == 7
        for line, standing in zip(lines, table, strict=True):
            assert line.startswith(f"{standing.rank} ")
            assert names[standing.entrant] in line
            assert f"{standing.wins}–{standing.draws}–{standing.losses} {standing.points:g} " in f"{line} "
            assert standing.reason is None or standing.reason.text(names) in line

    def test_a_bye_is_named(self, visitor):
        cup = factories.drawn(5, format=Format.SWISS)
        (bye,) = (row for row in cup.stages.get().entries.all() if row.byes)
        html = visitor().open(f"/t/{cup.pk}/bracket/").html
        assert re.search(rf'class="bye"><strong>{bye.entry.name}</strong>', html)
        assert "You have a bye in round 1." in visitor(bye.entry.user).open(f"/t/{cup.pk}/").text

    def test_a_draw_is_a_result_and_no_champion_is_crowned_twice(self, visitor):
        cup = factories.drawn(2, format=Format.ROUND_ROBIN)
        factories.play(cup, lambda match: Score(1, 1))
        match = cup.matches.get()
        page = visitor().open(f"/m/{match.pk}/")
        assert "Draw" in page.text
        assert "Nobody won." in page.text
        assert "A draw: " in page.text

    def test_a_tournament_says_how_it_is_played(self, visitor):
        cup = factories.make_tournament(format=Format.ROUND_ROBIN, stage={"groups": 4, "advance": 2})
        stages.add(
            Actor(cup.created_by), cup.pk, format=Format.SINGLE_ELIMINATION, best_of=3, best_of_rounds={"final": 5}
        )
        text = visitor(cup.created_by).open(f"/t/{cup.pk}/").text
        for words in ("Groups 4", "Points 3 – 1 – 0", "The best 2 of each group", "Best of 3, final best of 5"):
            assert words in text


class TestStages:
    @pytest.fixture
    def cup(self):
        cup = factories.open_with_entries(8, format=Format.ROUND_ROBIN, stage={"groups": 2, "advance": 2})
        stages.add(Actor(cup.created_by), cup.pk, format=Format.SINGLE_ELIMINATION, name="Playoffs")
        return factories.draw(cup)

    def test_a_switch_leads_to_each_stage(self, visitor, cup):
        page = visitor().open(f"/t/{cup.pk}/bracket/")
        assert re.findall(r'switch__name">([^<]+)<', page.html) == ["Groups", "Playoffs"]
        assert "Group A" in page.text
        page.open(f"/t/{cup.pk}/bracket/?stage=2")
        assert "This stage is still to come" in page.text

    def test_the_stage_that_is_played_is_shown_first(self, visitor, cup):
        factories.play(cup, matches_at_most=12)
        page = visitor().open(f"/t/{cup.pk}/bracket/")
        assert "Group B" in page.text
        assert page.html.count("line--last-through") == 2
        brackets.generate(Actor(cup.created_by), cup.pk)
        page.open(f"/t/{cup.pk}/bracket/")
        assert len(cards(page.html)) == 4
        assert "Group B" not in text_of(page.html)
        assert "Group B" in page.open(f"/t/{cup.pk}/bracket/?stage=1").text

    def test_numbers_that_are_no_stage_lead_to_the_present_one(self, visitor, cup):
        for wanted in ("0", "9", "x", "1" * 50):
            assert "Group A" in visitor().open(f"/t/{cup.pk}/bracket/?stage={wanted}").text

    def test_one_page_tells_the_next_match_and_what_is_waited_for(self, visitor, cup):
        best = visitor(cup.entries.get(seed=1).user)
        worst = visitor(cup.entries.get(seed=8).user)
        factories.play(cup, matches_at_most=12)
        for person in (best, worst):
            assert "Who goes on shows here" in person.open(f"/t/{cup.pk}/").text
        brackets.generate(Actor(cup.created_by), cup.pk)
        assert "You play" in best.open(f"/t/{cup.pk}/").text
        assert "Playoffs · Semi-finals" in best.open("/me/").text
        assert "Your last match was match" in worst.open(f"/t/{cup.pk}/").text


class TestThePast:
    @pytest.fixture
    def cup(self):
        cup = factories.drawn(4)
        factories.play(cup)
        return cup

    def test_a_moment_is_a_number_or_a_time(self, visitor, cup):
        page = visitor().open(f"/t/{cup.pk}/history/?at=9")
        assert "You are looking at" in page.text
        assert page.form(f"/t/{cup.pk}/history/")["at"] == "9"
        at = Event.objects.get(stream__name=cup.stream, seq=12).at
        latest = Event.objects.filter(stream__name=cup.stream, at__lte=at).latest("seq").seq
        page.open(f"/t/{cup.pk}/history/?at={at.isoformat().replace('+', '%2B')}")
        assert page.form(f"/t/{cup.pk}/history/")["at"] == str(latest)

    def test_what_is_no_moment_is_now(self, visitor, cup):
        head = Event.objects.filter(stream__name=cup.stream).latest("seq").seq
        for asked in ("", "?at=", "?at=yesterday", f"?at={10**14}", "?at=9999-99-99", "?at=%F0%9F%8F%93"):
            page = visitor().open(f"/t/{cup.pk}/history/{asked}")
            assert page.response.status_code == 200
            assert "This is how it stands now" in page.text
            assert page.form(f"/t/{cup.pk}/history/")["at"] == str(head)

    def test_a_draft_has_no_past_for_those_who_came_later(self, visitor, cup):
        published = Event.objects.get(stream__name=cup.stream, type="tournament_published").seq
        page = visitor().open(f"/t/{cup.pk}/history/?at=1")
        assert page.form(f"/t/{cup.pk}/history/")["at"] == str(published)
        assert "The tournament was published." in page.text
        draft = factories.make_tournament()
        assert visitor().open(f"/t/{draft.pk}/history/").response.status_code == 404
        assert visitor(draft.created_by).open(f"/t/{draft.pk}/history/").response.status_code == 200

    def test_steps_lead_from_one_event_of_the_story_to_the_next(self, visitor, cup):
        page, told = visitor().open(f"/t/{cup.pk}/history/"), []
        while back := re.search(r'rel="prev" aria-label="[^"]+"\s+href="([^"]+)"', page.html):
            page.open(f"/t/{cup.pk}/history/{back[1]}")
            told.append(re.search(r'moment__what">([^<]*)<', page.html)[1])
        assert told[-1] == "The tournament was published."
        assert sum(text.startswith("Match") and "started" in text for text in told) == 4
        assert 'rel="next"' in page.html

    def test_nothing_is_told_that_came_later(self, visitor, cup):
        drawn = Event.objects.get(stream__name=cup.stream, type="bracket_generated").seq
        page = visitor().open(f"/t/{cup.pk}/history/?at={drawn}")
        assert "Champion" not in page.text
        assert {state for state, _ in cards(page.html).values()} == {"ready", "scheduled"}

    def test_a_result_that_was_taken_back_stays_in_the_story(self, visitor, cup):
        first = factories.match_number(cup, 1)
        by = Actor(cup.created_by)
        reopening.reopen(by, first.pk, token=reopening.preview(by, first.pk).token)
        matches.start(by, first.pk)
        matches.finish(by, first.pk, Score(0, 5))
        text = visitor().open(f"/t/{cup.pk}/activity/").text
        assert f"{first.away.name} won: {first.home.name} 0–5 {first.away.name}." in text
        assert f"{first.home.name} won match 1." in text
        assert "The result of match 1 was taken back" in text
        history = visitor().open(f"/m/{first.pk}/").text
        assert f"{first.home.name} won: {first.home.name} 1–0 {first.away.name}." in history
