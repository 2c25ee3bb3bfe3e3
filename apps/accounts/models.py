"""People with an account. What a person may do in a tournament is kept there, not here."""

from django.contrib.auth.models import AbstractUser
from django.db import models


class User(AbstractUser):
    """A person who can sign in, by user name or e-mail address. The user name is public, the address never."""

    email = models.EmailField("e-mail address", unique=True)
    is_demo = models.BooleanField(default=False, help_text="Made by the demo; exists only in a demo database.")

    def __str__(self) -> str:
        return self.username
