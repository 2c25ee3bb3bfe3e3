"""
What a page shows, computed from a state: pure functions of plain data, no database, no request.

`shown` has a twin in the browser (static/web/js/shown.js); one set of vectors tests both.
"""
