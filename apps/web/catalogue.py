"""What scripts say, in other languages than English: the catalogue of the domain `djangojs`, as i18n.js reads it."""

from functools import cache

from django.conf import settings
from django.utils.translation.trans_real import DjangoTranslation
from django.views.i18n import JavaScriptCatalog


@cache
def script_words(language: str) -> dict[str, str | list[str]]:
    """Return the translations by their English text; of a text with a number, its forms in gettext's order."""
    catalogue = JavaScriptCatalog()
    catalogue.translation = DjangoTranslation(
        language, domain="djangojs", localedirs=[*map(str, settings.LOCALE_PATHS)]
    )
    return {} if language.startswith("en") else catalogue.get_catalog()
