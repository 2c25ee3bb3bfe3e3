"""What an overlay shows of a state, and the colours it does so in."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.web.present.overlays import check_in, ink_on
from engine.projection import empty

NOW = datetime(2026, 11, 22, 18, tzinfo=UTC)


def before(**settings):
    """The state of a tournament of two, of whom one is here, an hour before it starts."""
    state = empty()
    usual = {
        "status": "registration_open",
        "capacity": 8,
        "starts_at": at(60),
        "check_in": False,
        "check_in_opens_at": None,
        "check_in_closes_at": None,
        "check_in_closed": False,
    }
    state["tournament"] = {**usual, **settings}
    state["entries"] = {str(n): {"id": n, "status": "confirmed", "checked_in": n == 1} for n in (1, 2)}
    return state


def at(minutes: int) -> str:
    return (NOW + timedelta(minutes=minutes)).isoformat()


@pytest.mark.parametrize(
    ("settings", "phase", "until"),
    [
        ({}, "starts", at(60)),
        ({"check_in": True, "check_in_opens_at": at(5)}, "opens", at(5)),
        ({"check_in": True, "check_in_opens_at": at(-5)}, "open", None),
        ({"check_in": True, "check_in_closes_at": at(30)}, "closes", at(30)),
        ({"check_in": True, "check_in_closes_at": at(-1)}, "starts", at(60)),
        ({"check_in": True, "check_in_closes_at": at(30), "check_in_closed": True}, "starts", at(60)),
    ],
)
def test_what_is_counted_down_to(settings, phase, until):
    found = check_in(before(**settings), NOW)
    assert found is not None
    assert (found.phase, found.at) == (phase, until)
    assert (found.here, found.places) == ((2, 8) if phase == "starts" else (1, 2))


@pytest.mark.parametrize(
    "settings", [{"status": "live"}, {"status": "cancelled"}, {"starts_at": at(-1)}, {"starts_at": None}]
)
def test_when_there_is_nothing_to_count_down_to(settings):
    assert check_in(before(**settings), NOW) is None


@given(st.integers(0, 0xFFFFFF))
def test_text_on_any_colour_of_a_tournament_can_be_read(colour):
    """WCAG 2.2, contrast of 4.5, computed in another way than the code does: in whole steps of 8 bits."""
    ink = {"light": (255, 255, 255), "dark": (0, 0, 0)}[ink_on(f"#{colour:06x}")]
    darker, lighter = sorted(map(luminance, (ink, colour.to_bytes(3))))
    assert (lighter + 0.05) / (darker + 0.05) >= 4.5


def luminance(channels) -> float:
    steps = [(step / 255 / 12.92 if step <= 10 else ((step / 255 + 0.055) / 1.055) ** 2.4) for step in channels]
    return sum(weight * step for weight, step in zip((0.2126, 0.7152, 0.0722), steps, strict=True))
