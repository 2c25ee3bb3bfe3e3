"""
People and their sessions, for those who run the site.

A user name stands in the states of tournaments, and other rows refer to the account, so neither is changed here: an
account can be blocked.
"""

from typing import TYPE_CHECKING, Any

from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts import services
from apps.accounts.models import User
from apps.accounts.revocation import end_access
from apps.read_only import ReadOnlyAdmin

if TYPE_CHECKING:
    Base = UserAdmin[User]
else:
    Base = UserAdmin

_RIGHTS = ("is_staff", "is_superuser", "groups", "user_permissions")


@admin.register(User)
class AccountAdmin(Base):
    """Search, block, give rights. Who is no superuser gives none, and touches no superuser's account."""

    list_display = ("username", "email", "is_active", "is_staff", "is_superuser", "last_login")
    list_filter = ("is_active", "is_staff", "is_superuser")
    search_fields = ("username", "email", "first_name", "last_name")
    ordering = ("-pk",)
    actions = ("block", "unblock")
    fieldsets = (
        (None, {"fields": ("username", "email", "first_name", "last_name", "password")}),
        (gettext_lazy("Rights"), {"fields": ("is_active", *_RIGHTS)}),
        (gettext_lazy("Dates"), {"fields": ("date_joined", "last_login")}),
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        if obj is not None and obj.is_superuser and not request.user.is_superuser:
            return False
        return super().has_change_permission(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        fixed = ("username", "email", "date_joined", "last_login")
        return fixed if request.user.is_superuser else (*fixed, *_RIGHTS)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: Any) -> None:
        super().save_model(request, obj, form, change)
        if not obj.is_active:
            services.end_sessions(obj)

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        response = super().user_change_password(request, id, form_url)
        if request.method == "POST" and response.status_code == 302:  # noqa: PLR2004 - it was changed
            end_access(int(id))
        return response

    @admin.action(description=gettext_lazy("Block: sign out everywhere, and let nobody in"), permissions=["change"])
    def block(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user in self._touchable(request, queryset):
            if user == request.user:
                continue  # nobody locks themselves out by ticking all
            services.block(user)
            self.log_change(request, user, _("Blocked."))
            self.message_user(request, _("{name} is blocked.").format(name=user.username))

    @admin.action(description=gettext_lazy("Let in again"), permissions=["change"])
    def unblock(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user in self._touchable(request, queryset):
            services.unblock(user)
            self.log_change(request, user, _("Let in again."))
            self.message_user(request, _("{name} can sign in again.").format(name=user.username))

    @staticmethod
    def _touchable(request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:
        return queryset if request.user.is_superuser else queryset.filter(is_superuser=False)


# allauth's own let anybody with the permission change them. Apps come from the settings, and no token is kept.
admin.site.unregister([EmailAddress, SocialAccount, SocialApp, SocialToken, UserSession])


@admin.register(EmailAddress)
class AddressAdmin(ReadOnlyAdmin):
    list_display = ("email", "user", "primary", "verified")
    list_select_related = ("user",)
    list_filter = ("verified",)
    search_fields = ("email", "=user__username")
    ordering = ("-pk",)


@admin.register(SocialAccount)
class ElsewhereAdmin(ReadOnlyAdmin):
    list_display = ("user", "provider", "uid", "date_joined", "last_login")
    list_select_related = ("user",)
    list_filter = ("provider",)
    search_fields = ("=user__username", "=uid")
    ordering = ("-pk",)


@admin.register(UserSession)
class SessionAdmin(ReadOnlyAdmin):
    list_display = ("user", "ip", "user_agent", "created_at", "last_seen_at")
    list_select_related = ("user",)
    search_fields = ("=user__username", "=ip")
    ordering = ("-last_seen_at",)
    fields = ("user", "ip", "user_agent", "created_at", "last_seen_at")  # not the key, which opens the account
    actions = ("end",)

    @admin.action(description=gettext_lazy("End: sign out there"), permissions=["end"])
    def end(self, request: HttpRequest, queryset: QuerySet[UserSession]) -> None:
        for session in queryset:
            session.end()
        self.message_user(request, _("Signed out there."))

    def has_end_permission(self, request: HttpRequest) -> bool:
        return request.user.is_superuser
