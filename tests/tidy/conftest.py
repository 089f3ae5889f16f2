"""The trees of all shipped modules are kept for the tests here, and no longer."""

from collections.abc import Iterator

import pytest

from tests.tidy.sources import forget


@pytest.fixture(scope="package", autouse=True)
def trees() -> Iterator[None]:
    yield
    forget()
