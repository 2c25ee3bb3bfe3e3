"""Which scripts import which, so that a page can ask for all of them at once."""

import re
from functools import cache
from pathlib import Path
from urllib.parse import urljoin

from django.contrib.staticfiles import finders

_IMPORT = re.compile(r"""^(?:import|export)\b[^"';]*["'](\.{1,2}/[^"']+)["'];""", re.MULTILINE)


@cache
def graph(name: str) -> tuple[str, ...]:
    """Return a static script and everything that it imports, directly or not, each once: names, itself first."""
    found = [name]
    for one in found:  # grows while it is read
        path = finders.find(one)
        if path is None:
            message = f"{name} imports {one}, which is not there"
            raise LookupError(message)
        imported = (urljoin(one, target) for target in _IMPORT.findall(Path(str(path)).read_text()))
        found += [target for target in dict.fromkeys(imported) if target not in found]
    return tuple(found)
