"""The log can be read. Receipts, which repeat what people asked, are not shown."""

from django.contrib import admin
from django.utils.translation import gettext_lazy

from apps.eventlog.models import Event, Stream
from apps.read_only import ReadOnlyAdmin


@admin.register(Stream)
class StreamAdmin(ReadOnlyAdmin):
    list_display = ("name", "head", "epoch")
    search_fields = ("=name",)
    ordering = ("-pk",)


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    list_display = ("at", "stream__name", "seq", "type", "subject", "audience", "actor")
    list_select_related = ("stream",)
    list_filter = ("audience",)
    search_fields = ("=stream__name", "=subject", "=type", "=actor")
    search_help_text = gettext_lazy(
        "A stream (tournament:7), a match (match:5), a type (match_completed), or who acted (user:3)."
    )
    ordering = ("-pk",)
