"""One metric with its samples, as plain data."""

from dataclasses import dataclass, field
from typing import Any

GAUGE, COUNTER, HISTOGRAM = "gauge", "counter", "histogram"
Labels = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Family:
    """One metric with its samples. Those of a histogram are (its labels, counts up to each bound, sum in seconds)."""

    name: str
    kind: str
    meaning: str
    samples: list[tuple[Labels, Any]] = field(default_factory=list)

    def add(self, value: Any, **labels: object) -> "Family":
        """One more sample; the first of several with the same labels counts, for they would spoil the whole answer."""
        key = tuple((name, str(label)) for name, label in labels.items())
        if value is not None and key not in dict(self.samples):
            self.samples.append((key, value))
        return self
