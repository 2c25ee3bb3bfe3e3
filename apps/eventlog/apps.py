from django.apps import AppConfig


class EventLogConfig(AppConfig):
    name = "apps.eventlog"
    default_auto_field = "django.db.models.BigAutoField"
