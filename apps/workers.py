"""What works beside the server of a process, and when each last looked for work; read by the operators' page."""

from prometheus_client import Gauge

ran = Gauge("worker_ran_at_seconds", "When a worker of this process last looked for work.", ["worker"])
