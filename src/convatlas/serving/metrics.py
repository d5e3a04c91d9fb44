"""What the server counts, in Prometheus's form. No label's value comes from a client."""

from typing import Literal, get_args

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
SIZES = (1, 2, 4, 8, 16, 32, 64, 128)
OTHER = "other"  # a path that is none

# why a request, or for the last one a connection, is turned away
Why = Literal["queue", "memory", "decoding", "timeout", "slow", "token", "stopped", "connections"]


class Metrics:
    """The counters of one server, in a registry of its own."""

    def __init__(self) -> None:
        registry = self._registry = CollectorRegistry()
        self.requests = Counter(
            "convatlas_requests", "Requests answered.", ("path", "status"), registry=registry
        )
        self.seconds = Histogram(
            "convatlas_request_seconds",
            "From a request's head to its answer.",
            ("path",),
            buckets=SECONDS,
            registry=registry,
        )
        self.in_flight = Gauge(
            "convatlas_requests_in_flight", "Requests being answered.", registry=registry
        )
        self.pictures = Counter("convatlas_pictures", "Pictures classified.", registry=registry)
        self.undecodable = Counter(
            "convatlas_decode_errors", "Pictures that could not be decoded.", registry=registry
        )
        self.rejected = Counter(
            "convatlas_rejected", "Requests turned away.", ("why",), registry=registry
        )
        for why in get_args(Why):  # at 0, as a rate needs what was there before the first
            self.rejected.labels(why)
        self.failed = Counter(
            "convatlas_engine_failures",
            "Requests whose batch failed, and pictures whose scores are no numbers.",
            registry=registry,
        )
        self.queue = Gauge(
            "convatlas_queue_pictures", "Pictures accepted and not answered.", registry=registry
        )
        self.batch = Histogram(
            "convatlas_batch_size", "Pictures in an engine call.", buckets=SIZES, registry=registry
        )
        self.engine_seconds = Histogram(
            "convatlas_engine_seconds", "Of an engine call.", buckets=SECONDS, registry=registry
        )
        ProcessCollector(registry=registry)

    def batch_ran(self, size: int, seconds: float) -> None:
        """An engine call has ended."""
        self.batch.observe(size)
        self.engine_seconds.observe(seconds)

    def text(self) -> bytes:
        """As Prometheus reads it."""
        return generate_latest(self._registry)
