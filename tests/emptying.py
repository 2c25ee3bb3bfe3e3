"""How a test that commits leaves the database: empty, at the price of the tables that it wrote to."""

from asgiref.sync import SyncToAsync
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction

SECONDS = 60  # that the last question may take
LASTING = {ContentType, Permission}  # that migrating has filled, and no test changes


def empty(_case: object) -> None:
    """
    Delete all rows, when what a test asked last has been answered: a task that was cancelled leaves its question to
    the thread.

    Django's own way is to cut off every table, and to tell of permissions and types again: 0.1 s on PostgreSQL, which
    also ends one of two that lock the same tables in another order.
    """
    SyncToAsync.single_thread_executor.submit(bool).result(SECONDS)
    lasting = {model._meta.db_table for model in LASTING}
    names = [name for name in connection.introspection.django_table_names(only_existing=True) if name not in lasting]
    tables = [connection.ops.quote_name(name) for name in names]
    # Foreign keys are looked at when the transaction ends, so the order does not matter.
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(f"SELECT {n} WHERE EXISTS (SELECT 1 FROM {t})" for n, t in enumerate(tables)))
        for (number,) in cursor.fetchall():
            cursor.execute(f"DELETE FROM {tables[number]}")
