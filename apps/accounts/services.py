"""What people change about their own account. E-mail addresses and passwords: allauth, which checks both."""

from apps.accounts.models import User


def edit_profile(user: User, *, first_name: str | None = None, last_name: str | None = None) -> User:
    """Change the names that are given, clean already; None leaves a name as it is."""
    fields = {"first_name": first_name, "last_name": last_name}
    changed = {field: value for field, value in fields.items() if value is not None}
    for field, value in changed.items():
        setattr(user, field, value)
    user.save(update_fields=list(changed))
    return user
