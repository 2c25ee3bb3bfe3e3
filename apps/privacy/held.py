"""
Which tables refer to a person, and what of each the person gets. A table that is in neither list fails a test.

Columns are named one by one, so that a new one that is secret is not given away by accident.
"""

from dataclasses import dataclass

OF_TOURNAMENT = ("tournament_id", "tournament__name")


@dataclass(frozen=True, slots=True)
class Held:
    """The rows of a `model` that refer to a person by `field`: where they go in the file, and their `columns`."""

    part: str
    model: str
    field: str
    columns: tuple[str, ...]


HELD = (
    Held("email_addresses", "account.EmailAddress", "user", ("email", "verified", "primary")),
    Held(
        "signed_in",
        "usersessions.UserSession",
        "user",
        ("ip", "user_agent", "created_at", "last_seen_at"),
    ),
    Held(
        "accounts_elsewhere",
        "socialaccount.SocialAccount",
        "user",
        ("provider", "uid", "extra_data", "date_joined", "last_login"),
    ),
    Held(
        "api_tokens",
        "accounts.ApiToken",
        "user",
        ("name", "ending", "scopes", "tournament", "created_at", "expires_at", "used_at"),
    ),
    Held("calendar_address", "integrations.CalendarFeed", "user", ("created_at",)),
    Held("told_of", "notifications.Preferences", "user", ("kinds", "language")),
    Held(
        "told_by",
        "notifications.Channel",
        "user",
        ("way", "name", "origin", "since", "active", "off_reason", "told_at"),
    ),
    Held(
        "webhooks_and_channels",
        "integrations.Endpoint",
        "created_by",
        (*OF_TOURNAMENT, "kind", "name", "host", "types", "created_at", "active"),
    ),
    Held(
        "entries",
        "tournaments.Entry",
        "user",
        (
            "id",
            *OF_TOURNAMENT,
            "team_id",
            "team__name",
            "name",
            "status",
            "seed",
            "checked_in_at",
            "waitlisted_at",
            "claim_by",
            "created_at",
        ),
    ),
    Held("tournaments_made", "tournaments.Tournament", "created_by", ("id", "name", "game", "created_at")),
    Held(
        "staff_invited_to",
        "tournaments.StaffLink",
        "created_by",
        (*OF_TOURNAMENT, "role", "uses", "used", "created_at", "expires_at", "revoked_at"),
    ),
    Held("on_the_staff_of", "tournaments.Member", "user", (*OF_TOURNAMENT, "role")),
    Held("teams", "tournaments.TeamMember", "user", ("team_id", "team__name", "team__tag", "joined_at")),
    Held("leads_teams", "tournaments.Team", "captain", ("id", "name", "tag", "created_at", "disbanded_at")),
    Held("ratings", "tournaments.Rating", "user", ("game", "mu", "sigma", "matches")),
    Held("bans", "tournaments.Ban", "user", (*OF_TOURNAMENT, "reason", "created_at")),
    Held(
        "reports_sent",
        "tournaments.Report",
        "reporter",
        ("tournament_id", "entry_id", "team_id", "evidence_id", "shown", "reason", "text", "created_at", "resolved_at"),
    ),
    Held(
        "images",
        "tournaments.Evidence",
        "uploaded_by",
        ("dispute__match_id", "file", "content_type", "size", "uploaded_at", "hidden_at"),
    ),
    Held("groups", "accounts.User_groups", "user", ("group__name",)),
    Held("permissions", "accounts.User_user_permissions", "user", ("permission__codename",)),
    Held("done_as_administrator", "admin.LogEntry", "user", ("action_time", "object_repr", "change_message")),
)

# What somebody did for a tournament or the site: it stands with what it was done to, which is about others.
NOT_TOLD = {
    ("tournaments.Ban", "created_by"): "bans of others",
    ("tournaments.Dispute", "resolved_by"): "rulings about others",
    ("tournaments.Evidence", "hidden_by"): "images of others",
    ("tournaments.Report", "resolved_by"): "reports of others",
}
