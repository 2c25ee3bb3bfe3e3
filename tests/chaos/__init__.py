"""
The whole site, and everything that can break breaking: nobody ever sees a wrong, missing, doubled or foreign event.

A run: several processes of the site on a PostgreSQL and a Redis of their own (processes.py), a crowd that comes, goes
and moves between them (crowd.py), somebody who plays and dies (writer.py), faults from a seeded plan (faults.py). At
the end all is healed, and every frame that anybody got is judged by the database (judge.py, staleness.py).
"""
