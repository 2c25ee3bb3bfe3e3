"""
Rules of competition: who plays whom, who advances, what a log of events adds up to.

Values in, values out. Nothing here knows Django, reads a clock, does I/O or draws from a global random source,
so every rule can be tested exhaustively and replayed exactly.
"""
