"""What deliveries say about themselves."""

from prometheus_client import Counter

attempts = Counter("webhook_attempts", "Attempts to deliver, by what came of them.", ["kind", "result"])
