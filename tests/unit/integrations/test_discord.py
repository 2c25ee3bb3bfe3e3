"""Nothing that an entrant is called means anything to Discord."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.integrations.channels import Fate
from apps.integrations.channels.discord import PATH, Discord, escaped
from apps.integrations.sending import Answer


@given(st.text(max_size=80))
def test_every_mark_has_a_backslash_before_it_and_nothing_else_changes(name):
    shown = escaped(name)
    assert re.sub(r"\\(.)", r"\1", shown, flags=re.DOTALL) == name
    bare = re.sub(r"\\.", "", shown, flags=re.DOTALL)
    assert not re.search(r"[!-/:-@\[-`{-~]", bare)


def test_a_link_is_none():
    assert "://" not in escaped("https://evil.example/x")
    assert "discord.gg/" not in escaped("discord.gg/abc")


@pytest.mark.parametrize(
    ("path", "fits"),
    [
        ("/api/webhooks/123456789012345678/" + "a" * 68, True),
        ("/api/v10/webhooks/123456789012345678/" + "A-_9" * 17, True),
        ("/api/webhooks/123456789012345678/", False),
        ("/api/webhooks/123456789012345678/" + "a" * 68 + "/../../users/@me", False),
        ("/api/webhooks/123456789012345678/" + "a" * 68 + "?wait=true", False),
        ("/api/oauth2/token", False),
        ("/", False),
    ],
)
def test_only_a_webhook_of_discord_is_taken(path, fits):
    assert bool(re.fullmatch(PATH, path)) is fits


@pytest.mark.parametrize(
    ("answer", "fate", "wait", "counts"),
    [
        (Answer(204, 1), Fate.DELIVERED, 0.0, True),
        (Answer(429, 1, "", 1.2), Fate.RETRY, 1.2, False),
        (Answer(429, 1), Fate.RETRY, 0.0, True),
        (Answer(503, 1), Fate.RETRY, 0.0, True),
        (Answer(None, 1, "x"), Fate.RETRY, 0.0, True),
        (Answer(400, 1), Fate.SKIPPED, 0.0, True),
        (Answer(404, 1), Fate.OFF, 0.0, True),
        (Answer(401, 1), Fate.OFF, 0.0, True),
    ],
)
def test_what_an_answer_means(answer, fate, wait, counts):
    verdict = Discord().judge(answer)
    assert (verdict.fate, verdict.wait, verdict.counts) == (fate, wait, counts)
