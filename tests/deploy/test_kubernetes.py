"""docs/kubernetes: manifests that a cluster takes, and that fit together and to the server."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from rq import Queue

from app.core.config.load import load_settings
from bench.launch import ROOT
from tests.deploy.dockerfile import GROUP, USER
from tests.deploy.variables import is_known

FOLDER = ROOT / "docs" / "kubernetes"
OLDEST, NEWEST = "1.27", "1.37"
"""Versions of Kubernetes. The schemas are those that its own API publishes."""

ROLES = ("web", "worker", "scheduler")


@cache
def documents() -> tuple[tuple[str, dict[str, Any]], ...]:
    """All of them, with the file that each is from."""
    return tuple(
        (str(path.relative_to(FOLDER)), document)
        for path in sorted(FOLDER.rglob("*.yaml"))
        for document in yaml.safe_load_all(path.read_text("utf-8"))
    )


def of_kind(*kinds: str) -> dict[str, dict[str, Any]]:
    """Those of these kinds, by name."""
    return {
        document["metadata"]["name"]: document
        for _, document in documents()
        if document["kind"] in kinds
    }


def containers() -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """The pod and the one container of each component."""
    found = {}
    for workload in of_kind("Deployment", "StatefulSet").values():
        pod = workload["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        found[container["name"]] = (pod, container)
    return found


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_a_cluster_takes_every_one(version: str) -> None:
    checked = set()
    for name, document in documents():
        if document["apiVersion"].startswith("keda.sh/"):
            continue  # not Kubernetes' own
        kubernetes_validate.validate(document, version, strict=True)
        checked.add(name)
    assert checked == {
        *("config.yaml", "web.yaml", "worker.yaml", "scheduler.yaml", "redis.yaml"),
        "optional/ingress.yaml",
    }


def test_each_selector_finds_its_pods() -> None:
    pods = {
        name: workload["spec"]["template"]["metadata"]["labels"]
        for name, workload in of_kind("Deployment", "StatefulSet").items()
    }
    selectors = {
        **{name: w["spec"]["selector"] for name, w in of_kind("Deployment", "StatefulSet").items()},
        **{name: s["spec"]["selector"] for name, s in of_kind("PodDisruptionBudget").items()},
    }
    for name, selector in selectors.items():
        assert selector["matchLabels"].items() <= pods[name].items(), name
    for name, service in of_kind("Service").items():
        assert service["spec"]["selector"].items() <= pods[name].items(), name
    for name, policy in of_kind("NetworkPolicy").items():
        assert policy["spec"]["podSelector"]["matchLabels"].items() <= pods[name].items(), name
    assert len({tuple(sorted(labels.items())) for labels in pods.values()}) == len(pods)


def test_every_role_is_started_by_its_argument() -> None:
    assert set(containers()) == {*ROLES, "redis"}
    for name in ROLES:
        _, container = containers()[name]
        assert "command" not in container, "it would be in place of the entry point"
        assert container["args"] == [name]


def test_every_variable_is_one_that_is_read() -> None:
    names = {
        name
        for document in (*of_kind("ConfigMap").values(), *of_kind("Secret").values())
        for name in (document.get("data") or document["stringData"])
    }
    assert names
    for name in names - {"REDIS_PASSWORD"}:  # Redis's own
        assert is_known(name), name
    for name in ROLES:
        _, container = containers()[name]
        assert container["envFrom"] == [
            {"configMapRef": {"name": "tinyimage"}},
            {"secretRef": {"name": "tinyimage"}},
        ]


def test_the_values_are_ones_that_the_server_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path("/"))
    (config,), (secret,) = of_kind("ConfigMap").values(), of_kind("Secret").values()
    for name, value in (config["data"] | secret["stringData"]).items():
        assert isinstance(value, str), name
        monkeypatch.setenv(name, value)
    settings = load_settings()
    assert settings.redis.url is not None
    password = secret["stringData"]["REDIS_PASSWORD"]
    assert settings.redis.url == f"redis://:{password}@tinyimage-redis:6379/0"
    (redis,) = (s for name, s in of_kind("Service").items() if name == "tinyimage-redis")
    assert [port["port"] for port in redis["spec"]["ports"]] == [6379]


@pytest.mark.parametrize("name", [*ROLES, "redis"])
def test_no_pod_has_root_rights_or_a_file_system_to_write_to(name: str) -> None:
    pod, container = containers()[name]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    if name != "redis":
        ids = {pod["securityContext"][key] for key in ("runAsUser", "runAsGroup", "fsGroup")}
        assert ids == {USER, GROUP}
        assert {mount["mountPath"] for mount in container["volumeMounts"]} == {"/tmp"}
        assert [volume["name"] for volume in pod["volumes"]] == ["tmp"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod["terminationGracePeriodSeconds"] == 30
    assert "memory" in container["resources"]["limits"]


def test_probes_ask_for_what_there_is() -> None:
    _, web = containers()["web"]
    assert web["ports"] == [{"name": "http", "containerPort": load_settings().server.port}]
    assert web["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": "http"}
    assert web["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "http"}
    for name in ("worker", "scheduler"):
        _, container = containers()[name]
        command = container["livenessProbe"]["exec"]["command"]
        assert command == ["python", "-m", "app.run.health", name]


def test_the_autoscalers_look_at_the_queues_of_the_workers() -> None:
    scalers = [d for _, d in documents() if d["kind"] == "ScaledObject"]
    assert len(scalers) == 2
    for scaler in scalers:
        assert scaler["spec"]["scaleTargetRef"]["name"] in of_kind("Deployment")
        assert scaler["spec"]["minReplicaCount"] >= 1
    triggers = [t["metadata"] for s in scalers for t in s["spec"]["triggers"]]
    lists = {trigger["listName"] for trigger in triggers if "listName" in trigger}
    assert lists == {f"{Queue.redis_queue_namespace_prefix}{q}" for q in ("interactive", "bulk")}
    (secret,) = of_kind("Secret").values()
    for trigger in triggers:
        if "listName" in trigger:
            assert trigger["passwordFromEnv"] in secret["stringData"]
            assert re.fullmatch(r"tinyimage-redis\.\w+\.svc:6379", trigger["address"])


def test_the_ingress_takes_what_the_server_takes() -> None:
    (ingress,) = of_kind("Ingress").values()
    size = ingress["metadata"]["annotations"]["nginx.ingress.kubernetes.io/proxy-body-size"]
    assert int(size.removesuffix("m")) * 1024**2 > load_settings().upload.max_upload_size
    (rule,) = ingress["spec"]["rules"]
    backend = rule["http"]["paths"][0]["backend"]["service"]
    assert backend["name"] in of_kind("Service")
