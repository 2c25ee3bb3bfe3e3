"""What other sites show of a link to a tournament or a match: a picture, a title and a sentence."""
