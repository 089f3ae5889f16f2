"""The metrics in the words of prometheus-client, with the figures of the process that it knows. Extra: [metrics]."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from adapters.web.metric_family import COUNTER, HISTOGRAM, Family


class _Collected(Collector):
    """What was found at one moment."""

    def __init__(self, families: Iterable[Family]) -> None:
        self._families = list(families)

    def collect(self) -> Iterable[Metric]:
        return map(_metric, self._families)


def exposition(families: Iterable[Family]) -> bytes:
    """The text that Prometheus reads."""
    registry = CollectorRegistry()
    registry.register(_Collected(families))
    ProcessCollector(registry=registry)
    return generate_latest(registry)


def _metric(family: Family) -> Metric:
    name = f"riskcore_{family.name}"
    names = [label for label, _ in family.samples[0][0]] if family.samples else []
    metric: Metric
    if family.kind == HISTOGRAM:
        metric = histogram = HistogramMetricFamily(name, family.meaning, labels=names)
        for labels, value in family.samples:
            counted, total = value
            histogram.add_metric([label for _, label in labels], counted, total)
        return metric
    kind = CounterMetricFamily if family.kind == COUNTER else GaugeMetricFamily
    metric = kind(name, family.meaning, labels=names)
    for labels, value in family.samples:
        metric.add_metric([label for _, label in labels], float(value))
    return metric
