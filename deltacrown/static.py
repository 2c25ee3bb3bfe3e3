"""
Static files. In development they are as they lie; else they are built at the first start of each version of them.

A version is a name made of everything that is in the files, and part of their addresses: `/static/3f9c2e51ab70/web/…`.
What has such an address never changes, so a browser keeps it for good, imports between files stay as they are written,
and the files of two versions stand beside each other while one process after the other is replaced.
"""

import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path, PurePosixPath
from tempfile import mkdtemp
from urllib.parse import urljoin

from django.conf import settings
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import StaticFilesStorage
from django.http import HttpRequest, HttpResponse
from whitenoise.compress import Compressor
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.responders import StaticFile

_BUILD = b"1"  # another number for another way to build
_KEPT = 4  # versions; the oldest of more go when a new one is built
_IMPORT = re.compile(r'^@import url\("([^"]+)"\);\n', re.MULTILINE)
_CSS_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_JS_COMMENT_LINES = re.compile(r"^[ \t]*(?://[^\n]*|/\*(?:(?!\*/)[\s\S])*\*/[ \t]*)\n", re.MULTILINE)
_BLANK = re.compile(r"\n\s*\n|\n +")


@cache
def version() -> str:
    """Return the version of the files that this process knows, and have them built. 50 ms; 1.5 s for a new one."""
    files = dict(_found())
    told = hashlib.sha256(_BUILD)
    for name, path in sorted(files.items()):
        told.update(f"\0{name}\0".encode() + path.read_bytes())
    made = told.hexdigest()[:12]
    if not (settings.STATIC_ROOT / made).exists():
        _build(files, settings.STATIC_ROOT / made)
    return made


class VersionedStorage(StaticFilesStorage):
    """Where `{% static %}` gets its addresses from. `version` is "" in development."""

    @property
    def version(self) -> str:
        return "" if settings.DEBUG else version()

    def url(self, name: str | None) -> str:
        if settings.DEBUG or name is None:
            return super().url(name)
        return f"{settings.STATIC_URL}{version()}/{name}"


class StaticFilesMiddleware(WhiteNoiseMiddleware):  # type: ignore[misc] # whitenoise has no types
    """
    Looks for a file when it is asked for first, so that a start costs nothing, and the files of another version are
    served as soon as they are there.

    Answers with the file's bytes instead of a stream: under ASGI Django reads a synchronous stream whole before it
    sends, and warns about it each time; our files are small, the largest under 64 KiB.
    """

    def add_files(self, root: str, prefix: str | None = None) -> None:
        if not settings.DEBUG:
            version()  # built before the first visitor
        self.directories.append((f"{Path(root).absolute()}{os.path.sep}", prefix))

    def add_files_from_finders(self) -> None:
        """Leave them to `find_file`, which asks the finders, too."""

    def __call__(self, request: HttpRequest) -> HttpResponse:
        address = request.path_info
        if not self.autorefresh and address.startswith(self.static_prefix) and address not in self.files:
            found = self.find_file(address)
            if found is not None:
                self.files[address] = found
        response: HttpResponse = super().__call__(request)
        return response

    def immutable_file_test(self, path: str, url: str) -> bool:
        return bool(re.match(rf"{re.escape(settings.STATIC_URL)}[0-9a-f]{{12}}/", url))

    @staticmethod
    def serve(static_file: StaticFile, request: HttpRequest) -> HttpResponse:
        found = static_file.get_response(request.method, request.META)
        body = b""
        if found.file is not None:
            with found.file:
                body = found.file.read()
        response = HttpResponse(body, status=int(found.status))
        del response["Content-Type"]
        for name, value in found.headers:
            response[name] = value
        return response


def _found() -> Iterator[tuple[str, Path]]:
    """Yield every static file under the name that pages know it by; of two with the same name, the first."""
    seen: set[str] = set()
    for finder in finders.get_finders():
        for path, storage in finder.list([]):
            name = str(PurePosixPath(getattr(storage, "prefix", None) or "", path.replace("\\", "/")))
            if name not in seen:
                seen.add(name)
                yield name, Path(storage.path(path))


def _build(files: dict[str, Path], target: Path) -> None:
    """Write the files as they are sent, plain and compressed, and let them appear at once."""
    draft = Path(mkdtemp(prefix=".", dir=target.parent))
    compress = Compressor(quiet=True)
    for name in files:
        place = draft / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(_ready(name, files))
        if compress.should_compress(name):
            for _ in compress.compress(str(place)):
                pass
    draft.chmod(0o755)
    try:
        draft.rename(target)
    except OSError:  # another process was faster
        shutil.rmtree(draft)
    versions = sorted((p for p in target.parent.iterdir() if re.fullmatch("[0-9a-f]{12}", p.name)), key=_age)
    for old in versions[_KEPT:]:
        shutil.rmtree(old, ignore_errors=True)


def _age(path: Path) -> float:
    return -path.stat().st_mtime


def _ready(name: str, files: dict[str, Path]) -> bytes:
    """Return the bytes of a file as a browser needs them: of ours, one style sheet for all, and no comments."""
    data = files[name].read_bytes()
    if not name.startswith(("web/", "clients/")):
        return data
    if name.endswith(".css"):
        return _BLANK.sub("\n", _CSS_COMMENT.sub("", _with_imports(name, data.decode(), files))).encode()
    return without_comment_lines(data.decode()).encode() if name.endswith(".js") else data


def _with_imports(name: str, text: str, files: dict[str, Path]) -> str:
    """Put in place of each `@import url("x.css");` what it imports."""

    def imported(match: re.Match[str]) -> str:
        target = urljoin(name, match[1])
        return _with_imports(target, files[target].read_text(), files)

    return _IMPORT.sub(imported, text)


def without_comment_lines(script: str) -> str:
    """
    Leave out the lines of a script that are comments and nothing else.

    A script with text over several lines stays as it is: a line of the text might look like a comment.
    """
    if any(line.count("`") % 2 for line in script.split("\n")):
        return script
    return _JS_COMMENT_LINES.sub("", script)
