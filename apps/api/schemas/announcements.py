"""What the organisers say to everybody."""

from typing import Annotated

from pydantic import BaseModel, StringConstraints

from apps.api.schemas.common import Input, Seq, Time
from apps.tournaments.services.notices import MAX_LENGTH


class Announcement(BaseModel):
    """A sentence that stands until it is taken down. `id` counts from 1 in a tournament."""

    id: int
    text: str
    at: Time


class NewAnnouncement(Input):
    text: Annotated[str, StringConstraints(min_length=1, max_length=MAX_LENGTH, pattern=r"^[^\x00]*$")]


class AnnouncementAnswer(BaseModel):
    seq: Seq
    announcement: Announcement


class StandingAnnouncements(BaseModel):
    seq: Seq
    announcements: list[Announcement]
