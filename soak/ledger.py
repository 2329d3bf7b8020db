"""What was accepted, and how each ended."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from soak.pictures import Order


@dataclass(slots=True)
class Ledger:
    """Kept while the stream runs."""

    accepted: dict[str, Order] = field(default_factory=dict)
    """By job id, each conversion that was answered with 200, 202 or a first step."""
    answers: Counter[str] = field(default_factory=Counter)
    """How uploads were answered."""
    wrong: list[str] = field(default_factory=list)
    """Answers that must never be given."""

    def accept(self, order: Order, answer: str) -> None:
        """The service has said that it has the picture."""
        self.accepted[order.conversion.job_id] = order
        self.answers[answer] += 1


@dataclass(slots=True)
class Verdict:
    """How the accepted conversions ended."""

    done: set[str] = field(default_factory=set)
    """By job id."""
    failures: set[str] = field(default_factory=set)
    """The same of those that failed with a reason."""
    refused: Counter[str] = field(default_factory=Counter)
    """Failed ones that cannot be read, by reason."""
    hurt: Counter[str] = field(default_factory=Counter)
    """Failed ones that can be read, by reason: their decoder or worker was killed too often."""
    faults: list[str] = field(default_factory=list)
    """Each that did not end as it must: lost, stuck, failed without a reason, doubled, broken."""

    @property
    def failed(self) -> int:
        """All that failed with a reason."""
        return self.refused.total() + self.hurt.total()
