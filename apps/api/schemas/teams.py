"""Teams, which exist across tournaments."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

from apps.api.schemas.common import ABSENT, Input, Page, RowId

TeamName = Annotated[str, StringConstraints(min_length=1, max_length=60, pattern=r"^[^\x00]*$")]
Tag = Annotated[str, StringConstraints(max_length=8, pattern=r"^[^\x00]*$")]
TeamRoleName = Literal["outsider", "invited", "member", "captain"]


class TeamPerson(BaseModel):
    id: int = Field(description="The user.")
    username: str


class Team(BaseModel):
    id: int
    name: str
    tag: str = Field(description="Short, to stand before a player's name.")
    captain: int = Field(description="The user who acts for the team.")
    members: int = Field(description="How many, the captain included.")


class TeamPage(Page[Team]):
    pass


class MyTeam(Team):
    role: TeamRoleName


class MyTeamPage(Page[MyTeam]):
    pass


class TeamDetail(MyTeam):
    disbanded: bool = Field(description="It plays no more, and has no members.")
    people: list[TeamPerson] = Field(description="Who has joined, in that order.")
    invited: list[TeamPerson] = Field(description="Who has not answered yet; shown to members.")


class NewTeam(Input):
    name: TeamName
    tag: Tag = ""


class TeamChanges(Input):
    """What is absent stays as it is."""

    name: TeamName = ABSENT
    tag: Tag = ABSENT


class Invitation(Input):
    username: Annotated[str, StringConstraints(min_length=1, max_length=150, pattern=r"^[^\x00]*$")]


class NewCaptain(Input):
    user: RowId = Field(description="A member who has joined.")


class TeamAnswer(BaseModel):
    """A team has no log, so there is no `seq`."""

    team: TeamDetail
