"""Static files: what the pages load is there before and after collectstatic."""

from io import StringIO
from pathlib import Path

from django.core.management import call_command
from django.test import Client

MODULE = Path(__file__).parents[3] / "clients" / "js" / "deltacrown.js"


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
