from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from apps.tournaments.services.retention import purge


class Command(BaseCommand):
    help = "Delete what has been kept for longer than RETENTION_… says. To be run once a day."

    def handle(self, *args: Any, **options: Any) -> None:
        purged = asdict(purge(timezone.now()))
        self.stdout.write(", ".join(f"{name}: {count}" for name, count in purged.items()))
