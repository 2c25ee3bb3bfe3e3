"""
Files of other programs, to plain values and back: TRF (Swiss and round robin), CSV, brackets-manager's JSON.

Pure: bytes in, dataclasses out, no database. What a file says becomes a tournament in the services.
"""

NAME_LENGTH = 60  # of an entrant, as models.Entry has it
