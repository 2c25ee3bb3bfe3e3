"""An invitation to a tournament's staff, by a link that can be passed on."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.utils.crypto import salted_hmac

from apps.tournaments.models.tournament import Member, Role


class StaffLink(models.Model):
    """
    Whoever opens the link signed in, and takes it, joins the staff as `role`.

    It holds `uses` times until `expires_at`, unless it is revoked before. `nonce` is one half of its token, the site's
    secret key the other: a copy of the database alone opens nothing.
    """

    tournament = models.ForeignKey("Tournament", models.CASCADE, related_name="staff_links")
    role = models.PositiveSmallIntegerField(choices=Member.ROLES)
    nonce = models.CharField(max_length=32)
    uses = models.PositiveSmallIntegerField(default=1)
    used = models.PositiveSmallIntegerField(default=0)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"invitation to {self.tournament} as {Role(self.role).name.lower()}"

    @property
    def token(self) -> str:
        """What opens the link: 128 bits of a MAC under the site's secret key, whose change ends all links."""
        mac = salted_hmac("apps.tournaments.staff_link", f"{self.pk}:{self.nonce}", algorithm="sha256")
        return f"{self.pk}-{mac.hexdigest()[:32]}"

    def holds(self, now: datetime) -> bool:
        return self.revoked_at is None and self.used < self.uses and now < self.expires_at
