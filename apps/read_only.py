"""Rows that the administration shows and changes nothing of: what is written past a service is in no event."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import HttpRequest

if TYPE_CHECKING:
    Base = admin.ModelAdmin[Any]
else:
    Base = admin.ModelAdmin  # which cannot be subscripted at run time


class ReadOnlyAdmin(Base):
    """Add, change and delete nothing, superusers neither."""

    actions: Any = None
    show_full_result_count = False  # of a long log it takes longer than the page

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
