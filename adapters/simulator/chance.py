"""The simulator's dice: one seed, the same throws on every machine and Python."""

import random


class Chance:
    """Uses `random.Random.random()` alone, whose sequence Python promises to keep."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def happens(self, probability: float) -> bool:
        return self._random.random() < probability

    def between(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return low + int(self._random.random() * (high - low + 1))

    def about(self, duration_ns: int) -> int:
        """A duration between 70 and 130 hundredths of the one given, on the server's 100 ns grid."""
        return duration_ns * (70 + self.between(0, 60)) // 100 // 100 * 100 + self.between(1, 9) * 100
