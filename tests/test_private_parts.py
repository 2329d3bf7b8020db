"""The parts of libraries that are leaned on and are not their API, by the module that does so.
After an upgrade this fails first, and says which part is gone."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import PIL._imaging
import PIL._webp
import prometheus_client.values
import pytest
import redis._parsers.hiredis
import redis.client
import rq.registry
import rq.scripts
import rq.worker_registration
import sanic.http.http1
import sanic.server.runners
from PIL.JpegImagePlugin import JpegImageFile
from redis._parsers.base import BaseParser
from redis._parsers.hiredis import _HiredisParser
from redis.asyncio.connection import Connection, ConnectionPool
from redis.client import Pipeline
from redis.connection import Connection as BlockingConnection
from rq import Queue, SimpleWorker
from rq.executions import Execution
from rq.job import Job
from rq.results import Result
from rq_scheduler import Scheduler
from sanic.http.http1 import Http
from sanic.mixins.routes import RouteMixin
from sanic.server.protocols.http_protocol import HttpProtocol
from sanic.server.protocols.websocket_protocol import WebSocketProtocol
from sanic.server.websockets.impl import WebsocketImplProtocol

from bench.launch import ROOT

LIBRARIES = ("redis", "rq", "rq_scheduler", "sanic")

PARTS: dict[str, list[tuple[Any, str]]] = {
    "app/web/serve/protocol.py": [
        (WebSocketProtocol, "HTTP_CLASS _time _data_received websocket_handshake data_received"),
        (HttpProtocol, "_can_write connection_lost request_handler"),
        (Http, "request_body stage"),
        (
            WebsocketImplProtocol,
            "async_data_received fail_connection resume_frames pause_frame_fut ws_proto",
        ),
    ],
    "app/web/serve/http1.py": [
        (sanic.http.http1, "HTTP_CONTINUE"),
        (
            Http,
            "HEADER_MAX_SIZE init_for_request http1_request_header error_response read "
            "create_empty_request _receive_more _send recv_buffer request_body request_bytes "
            "request_bytes_left expecting_continue keep_alive stage url protocol "
            "http1_response_header http1_response_normal http1_response_chunked head_only "
            "head_response_ignored response response_func response_size response_bytes_left",
        ),
    ],
    "app/web/serve/connection.py": [
        (Http, "read request_body keep_alive upgrade_websocket"),
    ],
    "app/web/serve/signals.py": [(sanic.server.runners, "signal_func")],
    "app/web/serve/handlers.py": [(RouteMixin, "_determine_error_format")],
    "app/core/redis/client.py": [(ConnectionPool, "make_connection")],
    "app/core/redis/received.py": [
        (Connection, "connect _reader _writer"),
        (BaseParser, "parse_error"),
    ],
    "app/core/redis/transactions.py": [
        (
            Pipeline,
            "_execute_transaction raise_first_error response_callbacks watching",
        ),
        (BlockingConnection, "send_packed_command read_response _parser"),
        (_HiredisParser, "_reader handle_push_response"),
        (redis._parsers.hiredis, "NOT_ENOUGH_DATA"),
        (redis.client, "EMPTY_RESPONSE"),
    ],
    "app/core/jobs/queue/reading.py": [(Job, "key_for")],
    "app/core/jobs/queue/questions.py": [(Job, "key_for")],
    "app/core/jobs/new_job.py": [
        (rq.scripts, "UNIQUE_ENQUEUE_SCRIPT"),
        (Job, "create to_dict"),
        (Queue, "redis_queue_namespace_prefix"),
    ],
    "app/core/jobs/webhooks/deliveries.py": [
        (Job, "key_for"),
        (rq.registry.ScheduledJobRegistry, "key_template"),
    ],
    "app/core/jobs/job.py": [(Job, "restore kwargs")],
    "app/core/jobs/queue/moves.py": [
        (Queue, "redis_queues_keys"),
    ],
    "app/core/jobs/queue/removal.py": [(Result, "get_key")],
    "app/web/metrics/instruments.py": [
        (prometheus_client.values, "ValueClass MutexValue MultiProcessValue"),
    ],
    "app/core/jobs/counted/overview.py": [(rq.worker_registration, "REDIS_WORKER_KEYS")],
    "workers/worker.py": [
        (
            SimpleWorker,
            "prepare_execution perform_job cleanup_execution increment_successful_job_count "
            "increment_total_working_time maintain_heartbeats check_for_suspension request_stop "
            "handle_exception unsubscribe heartbeat set_state serialize last_cleaned_at "
            "execute_job prepare_job_execution handle_execution_ended handle_job_success "
            "reorder_queues request_force_stop clean_registries clean_group_registries procline "
            "dequeue_timeout get_heartbeat_ttl _ordered_queues _state",
        ),
        (rq.worker_registration, "register"),
        (Execution, "create"),
        (Job, "prepare_for_execution get_result_ttl _handle_success"),
        (Queue, "intermediate_queue_key"),
    ],
    "workers/dequeue.py": [
        (
            Queue,
            "dequeue_any from_queue_key lmove _fetch_dequeued_job",
        ),
    ],
    "workers/job.py": [
        (
            Job,
            "restore func _handle_failure _handle_success _result _success_callback_name "
            "_stopped_callback_name _failure_callback_name webhooks retries_left "
            "finished_job_registry",
        ),
    ],
    "workers/deliveries.py": [
        (
            SimpleWorker,
            "dequeue_job_and_maintain_ttl should_run_maintenance_tasks run_maintenance_tasks "
            "execute_job handle_execution_ended handle_job_success handle_job_failure "
            "cleanup_execution _stop_requested teardown _state",
        ),
        (Queue, "lmove _fetch_dequeued_job"),
        (Job, "perform"),
    ],
    "workers/maintenance.py": [
        (rq.worker_registration, "clean_worker_registry"),
        (rq.registry, "clean_registries"),
    ],
    "workers/scheduler.py": [
        (
            Scheduler,
            "_install_signal_handlers enqueue_jobs enqueue_job get_queue_for_job "
            "scheduled_jobs_key register_birth heartbeat acquire_lock remove_lock register_death "
            "_interval",
        )
    ],
    "imaging/formats/jpg/by_pillow.py": [
        (PIL._imaging, "map_buffer"),
        (JpegImageFile, "decodermaxblock"),
    ],
    "imaging/formats/webp/libwebp.py": [(PIL, "_webp")],
}


@pytest.mark.parametrize("module", PARTS)
def test_what_is_not_an_api_is_still_there(module: str) -> None:
    for owner, names in PARTS[module]:
        gone = [
            name
            for name in names.split()
            if not hasattr(owner, name) and not re.search(rf"\bself\.{name}\b", _source(owner))
        ]
        assert not gone, f"{module} leans on {owner.__name__}.{', '.join(gone)}, which is gone"


@pytest.mark.parametrize("module", PARTS)
def test_each_part_is_used_where_it_is_said(module: str) -> None:
    code = (ROOT / module).read_text("utf-8")
    for _, names in PARTS[module]:
        assert not [name for name in names.split() if name not in code]


def test_each_private_name_of_a_parent_is_listed() -> None:
    """A class that inherits from one of these libraries says what it takes of it."""
    found = []
    for path in sorted((*(ROOT / "app").rglob("*.py"), *(ROOT / "workers").rglob("*.py"))):
        tree = ast.parse(path.read_text("utf-8"))
        module = path.relative_to(ROOT).as_posix()
        listed = " ".join(names for _, names in PARTS.get(module, [])).split()
        for kind, parent in _inherited(tree):
            code = _source(parent)
            used = {node.name for node in ast.walk(kind) if isinstance(node, ast.FunctionDef)}
            used |= {
                node.attr
                for node in ast.walk(kind)
                if isinstance(node, ast.Attribute) and ast.unparse(node.value) != "os"
            }
            found += [
                f"{module}: {name} of {parent.__name__}"
                for name in sorted(used.difference(listed))
                if re.match("_[a-z]", name) and re.search(rf"\b{name}\b", code)
            ]
    assert not found


def test_the_modules_are_listed_in_the_architecture() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    _, _, listed = text.partition("## Modules that depend on private parts")
    assert listed
    assert not [module for module in PARTS if f"`{module}`" not in listed]


def _inherited(tree: ast.Module) -> Iterator[tuple[ast.ClassDef, type]]:
    """The classes of a module with their parents from the libraries."""
    origin = {
        name.asname or name.name: importlib.import_module(node.module)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in LIBRARIES
        for name in node.names
        if node.module
    }
    for kind in ast.walk(tree):
        if isinstance(kind, ast.ClassDef):
            for base in kind.bases:
                if isinstance(base, ast.Name) and base.id in origin:
                    yield kind, getattr(origin[base.id], base.id)


@cache
def _source(owner: Any) -> str:
    """Of a class and what it is made of, or of the module itself."""
    if inspect.ismodule(owner):
        return inspect.getsource(owner)
    kinds = [kind for kind in owner.__mro__ if kind is not object]
    return "".join(_classes(kind.__module__)[kind.__name__] for kind in kinds)


@cache
def _classes(module: str) -> dict[str, str]:
    """The source of each class of a module. `inspect.getsource` parses the module for each."""
    code = inspect.getsource(importlib.import_module(module))
    lines = code.splitlines(keepends=True)
    return {
        node.name: "".join(lines[node.lineno - 1 : node.end_lineno])
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.ClassDef)
    }
