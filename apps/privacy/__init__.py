"""What the site holds about a person, for that person."""
