"""What Prometheus would read."""

from __future__ import annotations

from collections.abc import Mapping

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.service import NO_TLS

Scraped = Mapping[tuple[str, frozenset[tuple[str, str]]], float]


def scrape(url: str, **headers: str) -> Scraped:
    """All samples of a server's /metrics, by name and labels. Nothing is there twice."""
    # A connection of its own: any of the processes may answer.
    response = httpx.get(f"{url}/metrics", headers=headers, timeout=30, verify=NO_TLS)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith("text/plain; version=0.0.4")
    found: dict[tuple[str, frozenset[tuple[str, str]]], float] = {}
    for family in text_string_to_metric_families(response.text):
        assert family.documentation
        for sample in family.samples:
            key = (sample.name, frozenset(sample.labels.items()))
            assert key not in found, f"{key} is there twice"
            found[key] = sample.value
    return found


def total(scraped: Scraped, name: str, **labels: str) -> float:
    """The sum of a metric over all labels but these; 0 if it is not there."""
    return sum(
        value
        for (found, has), value in scraped.items()
        if found == name and labels.items() <= dict(has).items()
    )


def label_values(scraped: Scraped, label: str) -> set[str]:
    """Every value that a label has anywhere."""
    return {value for _, has in scraped for name, value in has if name == label}
