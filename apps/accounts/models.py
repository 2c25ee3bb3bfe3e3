"""People with an account. What a person may do in a tournament is kept there, not here."""

from typing import ClassVar

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils import timezone

from apps.accounts.grants import Grant, Scope


class User(AbstractUser):
    """
    A person who can sign in, by user name or e-mail address. The user name is public, the address never.

    `grant` is set on a row in memory while the person acts through an API token.
    """

    email = models.EmailField("e-mail address", unique=True)
    is_demo = models.BooleanField(default=False, help_text="Made by the demo; exists only in a demo database.")

    grant: Grant | None = None

    def __str__(self) -> str:
        return self.username


class ApiToken(models.Model):
    """
    A token for a program of a person's. Of the token itself only the hash is kept, its last characters to tell it by.

    `tournament` is an id and no foreign key: accounts know of no tournaments. One that is deleted leaves a token that
    is good for nothing.
    """

    MOST: ClassVar[int] = 20  # of one person

    user = models.ForeignKey(User, models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=60)
    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the token, in hex.")
    ending = models.CharField(max_length=4)
    scopes = models.JSONField(default=list)
    tournament = models.BigIntegerField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(null=True, blank=True)
    used_at = models.DateTimeField(null=True, blank=True, help_text="To the minute.")

    def __str__(self) -> str:
        return self.name

    @property
    def grant(self) -> Grant:
        return Grant(self.pk, frozenset(Scope(scope) for scope in self.scopes) | {Scope.READ}, self.tournament)
