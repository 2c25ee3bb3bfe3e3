"""The person who is asking."""

from pydantic import BaseModel, Field

from apps.api.schemas.common import ABSENT, Input, Line


class Profile(BaseModel):
    id: int
    username: str = Field(description="Shown to everybody; cannot be changed, for it stands in the log.")
    email: str = Field(description="Shown to nobody else; changed at `/_allauth/app/v1/account/email`.")
    first_name: str = Field(description="Shown to nobody else, as is the last name.")
    last_name: str


class ProfileChanges(Input):
    """What is absent stays as it is."""

    first_name: Line = ABSENT
    last_name: Line = ABSENT
