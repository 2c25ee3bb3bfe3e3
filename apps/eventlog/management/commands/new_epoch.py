from typing import Any

from django.core.management.base import BaseCommand

from apps.eventlog.models import Stream, new_epoch


class Command(BaseCommand):
    help = "After restoring a backup: make every client start from a snapshot instead of resuming."

    def handle(self, *args: Any, **options: Any) -> None:
        streams = list(Stream.objects.all())
        for stream in streams:
            stream.epoch = new_epoch()
        Stream.objects.bulk_update(streams, ["epoch"])
        self.stdout.write(f"{len(streams)} streams have a new epoch.")
