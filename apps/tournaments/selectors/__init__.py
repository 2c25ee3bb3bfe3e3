"""Everything that reads a tournament: states at a position of the log, lists for pages."""
