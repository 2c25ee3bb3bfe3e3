"""What scripts say, in other languages than English: the catalogue of the domain `djangojs`, as i18n.js reads it."""

from functools import cache
from gettext import GNUTranslations
from gettext import translation as find
from typing import Any

from django.conf import settings
from django.utils.translation import to_locale
from django.views.i18n import JavaScriptCatalog


@cache
def script_words(language: str) -> dict[str, str | list[str]]:
    """Return the translations by their English text; of a text with a number, its forms in gettext's order."""
    reader: Any = JavaScriptCatalog()
    for folder in settings.LOCALE_PATHS:
        reader.translation = find("djangojs", folder, [to_locale(language)], fallback=True)
        if isinstance(reader.translation, GNUTranslations):
            return dict(reader.get_catalog())
    return {}
