"""What notifications say about themselves."""

from prometheus_client import Counter

sent = Counter("notifications", "Attempts to tell somebody something, by what came of them.", ["way", "result"])
