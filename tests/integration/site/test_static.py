"""Static files: light, kept by browsers for good, there before and after collectstatic, and of two versions at once."""

import gzip
import os
import re
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.templatetags.static import static as address_of
from django.test import Client

from apps.web.modules import graph
from deltacrown import static
from tests.factories import drawn

ROOT = Path(__file__).parents[3]
MODULE = ROOT / "clients" / "js" / "deltacrown.js"
SCRIPTS = [*sorted((ROOT / "apps" / "web" / "static").rglob("*.js")), MODULE]


def test_the_client_that_others_build_on_is_the_one_that_pages_load():
    answer = Client().get("/static/clients/deltacrown.js")
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/javascript")
    assert answer.content == MODULE.read_bytes()


def test_collectstatic_puts_it_where_pages_look_for_it(settings, tmp_path):
    settings.STATIC_ROOT = tmp_path
    call_command("collectstatic", interactive=False, stdout=StringIO())
    assert (tmp_path / "clients" / "deltacrown.js").read_bytes() == MODULE.read_bytes()
    assert (tmp_path / "web" / "js" / "page.js").exists()


def test_what_pages_load_is_compressed_and_kept_for_good():
    for name in ("web/css/site.css", "web/img/icons.svg", *graph("web/js/page.js")):
        plain = Client().get(address_of(name))
        packed = Client().get(address_of(name), headers={"Accept-Encoding": "gzip, deflate, br"})
        assert "immutable" in packed["Cache-Control"], name
        assert packed["Content-Encoding"] == "gzip"
        assert packed["Vary"] == "Accept-Encoding"
        assert gzip.decompress(packed.content) == plain.content
        assert len(packed.content) < len(plain.content)


def test_one_style_sheet_holds_all_of_them():
    sheet = Client().get(address_of("web/css/site.css")).content.decode()
    assert "@import" not in sheet
    assert "/*" not in sheet
    folder = ROOT / "apps" / "web" / "static" / "web" / "css"
    templates = "".join(file.read_text() for file in ROOT.glob("apps/web/templates/**/*.html"))
    elsewhere = templates + (folder / "embed.css").read_text()
    for file in [folder / "tokens.css", folder / "base.css", *(folder / "components").glob("*.css")]:
        if f"components/{file.name}" in elsewhere:
            continue  # of single pages
        for selector in re.findall(r"^  (\.[\w-]+) \{$", file.read_text(), re.MULTILINE)[:3]:
            assert f"{selector} {{" in sheet, f"{file.name} is not in site.css"


@pytest.mark.parametrize("file", SCRIPTS, ids=lambda file: file.name)
def test_of_a_script_only_comments_are_left_out(file):
    script = file.read_text()
    kept = static.without_comment_lines(script)
    lines, left = script.split("\n"), kept.split("\n")
    assert [line for line in lines if line in set(left)] == left, "a line was changed or moved"
    gone = [line.strip() for line in lines if line not in set(left)]
    assert all(line.startswith(("//", "/*", "*")) for line in gone)


def test_a_script_with_text_over_lines_stays_as_it_is():
    script = "const a = `\n// not a comment\n`;\n// one\n"
    assert static.without_comment_lines(script) == script
    assert static.without_comment_lines("// one\nx();\n/* two\n three */\ny();\n") == "x();\ny();\n"


@pytest.mark.django_db
def test_a_page_asks_for_all_its_scripts_at_once():
    page = Client().get("/").content.decode()
    asked = re.findall(r'<link rel="modulepreload" href="([^"]+)">', page)
    asked += re.findall(r'<script type="module" src="([^"]+)">', page)
    assert sorted(asked) == sorted(address_of(name) for name in graph("web/js/page.js"))
    for address in asked:
        assert Client().get(address).status_code == 200
    assert page.count('rel="stylesheet"') == 1


def test_every_import_of_a_script_is_asked_for():
    for name in graph("web/js/page.js"):
        served = Client().get(address_of(name)).content.decode()
        assert len(re.findall(r"\bfrom \"\.", served)) == len(set(re.findall(r'from "(\.[^"]+)"', served)))
        assert set(re.findall(r'from "\.+/(?:[\w.]+/)*([\w]+\.js)"', served)) <= {
            one.rpartition("/")[2] for one in graph("web/js/page.js")
        }


def test_files_of_another_version_are_served_while_they_are_there(settings):
    older = settings.STATIC_ROOT / "0123456789ab" / "web" / "js"
    older.mkdir(parents=True, exist_ok=True)
    (older / "page.js").write_text("old();\n")
    running = Client()
    assert running.get(address_of("web/js/page.js")).status_code == 200
    answer = running.get("/static/0123456789ab/web/js/page.js")
    assert answer.content == b"old();\n"
    assert "immutable" in answer["Cache-Control"]
    for path in (
        "0123456789ab/../../secret_key",
        "0123456789ab/web/js/",
        "ffffffffffff/web/js/page.js",
        "0123456789ab/",
    ):
        assert running.get(f"/static/{path}").status_code == 404, path


def test_a_change_of_any_file_makes_another_version_and_old_ones_go(settings, tmp_path, monkeypatch):
    settings.STATIC_ROOT = tmp_path / "static"
    settings.STATIC_ROOT.mkdir()
    source = tmp_path / "one.js"
    monkeypatch.setattr(static, "_found", lambda: iter([("web/js/one.js", source)]))
    made = []
    for number in range(6):
        source.write_text(f"// comment\nx({number});\n")
        static.version.cache_clear()
        made.append(static.version())
        built = settings.STATIC_ROOT / made[-1]
        assert (built / "web" / "js" / "one.js").read_text() == f"x({number});\n"
        os.utime(built, (number, number))
    static.version.cache_clear()
    assert len(set(made)) == 6
    assert sorted(path.name for path in settings.STATIC_ROOT.iterdir()) == sorted(made[-4:])


def test_in_development_files_are_as_they_lie():
    code = (
        "import django; django.setup(); from django.test import Client; c = Client();"
        "from django.templatetags.static import static; print(static('web/css/site.css'));"
        "print(c.get(static('web/css/site.css')).content.decode())"
    )
    environment = os.environ | {"DEBUG": "on", "DJANGO_SETTINGS_MODULE": "deltacrown.settings", "ALLOWED_HOSTS": "*"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, cwd=ROOT, capture_output=True, check=True)
    assert done.stdout.decode().startswith("/static/web/css/site.css\n/* All of it")
    assert "@import" in done.stdout.decode()


@pytest.mark.django_db
def test_pages_and_the_api_are_compressed_and_pictures_are_not():
    tournament = drawn(8)
    for path in (f"/t/{tournament.pk}/", f"/api/v1/tournaments/{tournament.pk}/snapshot"):
        answer = Client().get(path, headers={"Accept-Encoding": "gzip"})
        assert answer["Content-Encoding"] == "gzip", path
        assert "Accept-Encoding" in answer["Vary"]
    sizes = {len(Client().get(f"/t/{tournament.pk}/", headers={"Accept-Encoding": "gzip"}).content) for _ in range(8)}
    assert len(sizes) > 1, "the length of a page tells what is in it"
    picture = Client().get(f"/t/{tournament.pk}/share.png", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in picture
    assert picture["ETag"].startswith('"')
