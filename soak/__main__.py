"""`python -m soak MINUTES [--seed N]`: hurts a service that is at work, and counts its pictures."""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
import time
from pathlib import Path

from soak.faults import Schedule
from soak.judge import judge
from soak.ledger import Ledger, Verdict
from soak.receiver import Receiver
from soak.service import Service, SoakError
from soak.shrinking import Outputs, Shrinking
from soak.stream import Stream

TAIL = 60
"""Lines of the service's log that are shown when something is wrong."""


def main() -> int:
    """Run the soak. Returns the status to exit with: 0 if every picture ended as it must."""
    parser = argparse.ArgumentParser(prog="script/soak", description=__doc__)
    parser.add_argument("minutes", type=float)
    parser.add_argument("--seed", type=int, help="of pictures and faults; random without one")
    arguments = parser.parse_args()
    seed = random.randrange(2**32) if arguments.seed is None else arguments.seed
    with tempfile.TemporaryDirectory(prefix="tinyimage-soak-") as folder:
        receiver = Receiver(seed)
        service = Service(Path(folder), receiver.settings)
        status = 1
        try:
            status = asyncio.run(_soak(service, receiver, arguments.minutes * 60, seed))
        except* SoakError as errors:
            for error in errors.exceptions:
                print(f"soak: {error}", file=sys.stderr)
            _show_log(service)
        except* KeyboardInterrupt:
            status = 130
        finally:
            service.destroy()
            receiver.close()
    return status


async def _soak(service: Service, receiver: Receiver, seconds: float, seed: int) -> int:
    began = time.monotonic()

    def tell(line: str) -> None:
        print(f"{time.monotonic() - began:7.1f} s  {line}", flush=True)

    tell(f"seed {seed}")
    await asyncio.to_thread(service.start)
    ledger = Ledger()
    stream = Stream(service.port, ledger, seed)
    shrinking = Shrinking(service.port, seed)
    schedule = Schedule(service, stream, seed, tell)
    async with asyncio.TaskGroup() as group:
        group.create_task(stream.run())
        group.create_task(shrinking.run())
        try:
            await schedule.run(seconds)
        finally:
            stream.stop()
            shrinking.stop()
        tell("no more faults; waiting until every client has its answers")
    tell("asking for each picture")
    verdict = await judge(service, ledger)
    await shrinking.judge()
    tell("waiting for each picture's webhook")
    await asyncio.to_thread(receiver.judge, verdict.done, verdict.failures)
    await asyncio.to_thread(service.terminate)
    tell("over")
    wrong = ledger.wrong + verdict.faults + shrinking.outputs.wrong + receiver.wrong
    _report(ledger, verdict, schedule, shrinking.outputs, wrong)
    for what, count in receiver.counts.most_common():
        print(f"{what}: {count}")
    if wrong:
        _show_log(service)
    return 1 if wrong else 0


def _report(
    ledger: Ledger, verdict: Verdict, schedule: Schedule, outputs: Outputs, wrong: list[str]
) -> None:
    print("\nfaults:")
    for fault, count in schedule.counts.most_common():
        print(f"  {count:6} {fault}")
    print("answers to uploads:")
    for answer, count in (ledger.answers + outputs.answers).most_common():
        print(f"  {count:6} {answer}")
    print("failed, of those that cannot be read:")
    for reason, count in verdict.refused.most_common(5):
        print(f"  {count:6} {reason}")
    print("failed, of those that can be read:")
    for reason, count in verdict.hurt.most_common():
        print(f"  {count:6} {reason}")
    for line in wrong:
        print(f"WRONG {line}")
    print(
        f"\naccepted {len(ledger.accepted)}, done {len(verdict.done)}, failed {verdict.failed}, "
        f"outputs of the Tinify API {len(outputs.made)}, not as it must be {len(wrong)}"
    )


def _show_log(service: Service) -> None:
    print("\nthe service's last lines:", file=sys.stderr)
    for line in service.log.splitlines()[-TAIL:]:
        print(f"  {line}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
