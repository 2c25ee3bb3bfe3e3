"""What people change about their own account. E-mail addresses and passwords: allauth, which checks both."""

from allauth.account.internal.flows.email_verification import send_verification_email_to_address
from allauth.account.models import EmailAddress
from django.http import HttpRequest

from apps.accounts.models import User


def edit_profile(user: User, *, first_name: str | None = None, last_name: str | None = None) -> User:
    """Change the names that are given, clean already; None leaves a name as it is."""
    fields = {"first_name": first_name, "last_name": last_name}
    changed = {field: value for field, value in fields.items() if value is not None}
    for field, value in changed.items():
        setattr(user, field, value)
    user.save(update_fields=list(changed))
    return user


def confirmed_address(user: User) -> str | None:
    """Return the e-mail address of a person that is known to be theirs, None when it has not been confirmed."""
    found = EmailAddress.objects.filter(user=user, verified=True, email__iexact=user.email)
    address: str | None = found.values_list("email", flat=True).first()
    return address


def ask_to_confirm(request: HttpRequest, user: User) -> None:
    """Send a link to a person's address that confirms it. allauth limits how often."""
    address, _ = EmailAddress.objects.get_or_create(user=user, email=user.email, defaults={"primary": True})
    send_verification_email_to_address(request, address)
