"""
Compiled translations: `python -m deltacrown.catalogues` makes an .mo beside every .po in locale/ that is newer.

They are built, not kept. Where one is missing the site speaks English.
"""

import os
from pathlib import Path

LOCALE = Path(__file__).resolve().parent.parent / "locale"


def compile_all(folder: Path = LOCALE) -> list[Path]:
    """Compile what has changed since it was compiled, and return those files. Several processes may do so at once."""
    return [_compiled(source) for source in sorted(folder.glob("*/LC_MESSAGES/*.po")) if _is_stale(source)]


def _is_stale(source: Path) -> bool:
    made = source.with_suffix(".mo")
    return not made.exists() or made.stat().st_mtime_ns < source.stat().st_mtime_ns


def _compiled(source: Path) -> Path:
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    with source.open("rb") as read:
        catalogue = read_po(read, locale=source.parent.parent.name)
    for message in catalogue:
        if isinstance(message.string, tuple) and not all(message.string):
            message.string = ""  # an empty form would be said; now it is the English
    draft, made = source.with_suffix(f".mo.{os.getpid()}"), source.with_suffix(".mo")
    with draft.open("wb") as written:
        write_mo(written, catalogue)
    draft.replace(made)
    return made


if __name__ == "__main__":
    compile_all()
