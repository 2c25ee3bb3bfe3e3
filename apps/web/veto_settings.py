"""The settings of a stage's veto: as a form shows them, and as it sends them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from apps.errors import BadRequest
from apps.web.forms import lines_of
from apps.words import gettext
from engine.errors import InvalidSettings
from engine.text import gettext as _
from engine.veto_script import preset

_SCRIPT_FIELD = re.compile(r"script-([1-9][0-9]?)")
_MAX_DIGITS = 6


@dataclass(frozen=True, slots=True)
class ScriptField:
    """`usual` is the script that counts when `text` is empty; "" when the pool is too small for one."""

    name: str
    best_of: int
    text: str
    usual: str


@dataclass(frozen=True, slots=True)
class VetoFields:
    """One stage's form; `form` is its name on the page."""

    stage: int
    title: str
    form: str
    pool: str
    seconds: int
    sides: list[str]
    scripts: list[ScriptField]


def veto_fields(stage: Mapping[str, Any]) -> VetoFields:
    """Return the form for a stage as the state has it, with a script for each best-of that it plays."""
    veto = stage["veto"]
    lengths = {stage["best_of"], *stage["best_of_rounds"].values(), *map(int, veto["scripts"])}
    return VetoFields(
        stage=stage["id"],
        title=stage["name"] or gettext("Stage {number}", number=stage["number"]),
        form=f"veto-stage-{stage['id']}",
        pool="\n".join(veto["pool"]),
        seconds=veto["seconds"],
        sides=veto["sides"],
        scripts=[
            ScriptField(f"script-{n}", n, veto["scripts"].get(str(n), ""), _usual(n, len(veto["pool"])))
            for n in sorted(lengths)
        ],
    )


def veto_settings(sent: Mapping[str, str]) -> dict[str, Any]:
    """
    Return the settings that a form sent. An empty script is none: the usual one counts.

    Raises:
        BadRequest: the time is not a whole number.
    """
    seconds = sent.get("seconds", "").strip() or "0"
    if not (seconds.isascii() and seconds.isdigit() and len(seconds) <= _MAX_DIGITS):
        message = _("The time for a step is a whole number of seconds; 0 is no limit.")
        raise BadRequest(message, field="seconds")
    found = ((_SCRIPT_FIELD.fullmatch(name), text.strip()) for name, text in sent.items())
    return {
        "pool": lines_of(sent.get("pool", "")),
        "scripts": {match[1]: text for match, text in found if match and text},
        "seconds": int(seconds),
        "sides": [sent.get("side-1", ""), sent.get("side-2", "")],
    }


def _usual(best_of: int, pool: int) -> str:
    try:
        return str(preset(best_of, pool))
    except InvalidSettings:
        return ""
