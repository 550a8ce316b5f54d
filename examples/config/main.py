"""Evaluates a configuration in HCL whose variables and functions are Python's.

Usage: main.py config.wasm
"""

import pathlib
import sys
from typing import Any

import undergo
from config_plugin import Config, Source

HERE = pathlib.Path(__file__).parent
SECRETS = {"web/database": "postgres://web@db/web"}
OFFSETS = {"eu-central": 80, "us-east": 90}


def secret(name: str) -> str:
    """Give a secret."""
    if name not in SECRETS:
        raise LookupError(f"there is no secret {name!r}")
    return SECRETS[name]


def port_offset(region: str) -> int:
    """Give what a region adds to each port."""
    return OFFSETS[region]


FUNCTIONS = {"secret": secret, "port_offset": port_offset}


class Functions:
    """What the plugin imports as `functions`."""

    def call(self, name: str, args: list[Any], /) -> Any:
        """Run a function that the configuration calls."""
        return FUNCTIONS[name](*args)


def source(text: str, file: str = "services.hcl") -> Source:
    """Make what the plugin evaluates."""
    variables = {
        "region": "eu-central",
        "team": "Platform",
        "labels": {"stage": "production"},
        "versions": {"web": "1.4.2", "worker": "0.9.0"},
        "load": 700,
        "queues": ["mail", "slow", "invoices"],
    }
    return Source(file=file, text=text, variables=variables, functions=list(FUNCTIONS))


# The module config_plugin was written by `undergo bindgen`: editors and type checkers know all that
# the plugin has.
limits = undergo.Limits(memory="128MiB", timeout=10.0)
config = Config.load(sys.argv[1], imports={"functions": Functions()}, limits=limits)

text = (HERE / "services.hcl").read_text(encoding="utf-8")
deployment = config.evaluate(source(text))
print(f"region {deployment.region}, labels {dict(sorted(deployment.labels.items()))}")
for service in deployment.services:
    print(f"{service.name}: {service.image}, replicas {service.replicas}")
    print(f"  command {service.command}")
    for name, value in sorted(service.env.items()):
        print(f"  {name}={value}")
    if service.health is not None:
        print(f"  health {service.health.path} at port {service.health.port}, every {service.health.seconds} s")

# The same file with mistakes in it. All of them are found, each with its place.
damaged = text.replace("var.load", "var.lod").replace("web/database", "web/databse").replace("path    =", "pth     =")
print()
for found in config.check(source(damaged)):
    print(f"{found.severity.value} at {found.line}:{found.column}: {found.summary}")
    print(f"  {found.detail}")

# Where a value is wanted, they are an error.
print()
try:
    config.evaluate(source('region = "x"\nservice "web" {', "broken.hcl"))
except undergo.GuestError as error:
    print(f"{error.kind}: {error.message}")
