"""What a native library is made of, for those who have to know: its crates, as CycloneDX.

sbom.py CRATE FILE TARGET    write it, for a target of Rust

The wheel has one that maturin writes.
"""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import archives
import environment
from project import BUILD, PYTHON, ROOT, Stamp, run

Package = dict[str, Any]


def of(crate: str, target: str | None = None) -> Path:
    """Give the document of a crate of the workspace, which is written unless it is there."""
    target = target or _host()
    file = BUILD / "sbom" / target / f"{crate}.cdx.json"
    stamp = Stamp(f"sbom-{crate}-{target}", [ROOT / "Cargo.lock", Path(__file__)], str(archives.epoch()))
    if not stamp.fresh() or not file.is_file():
        environment.ensure()
        file.parent.mkdir(parents=True, exist_ok=True)
        run([PYTHON, __file__, crate, file, target])
        stamp.set()
    return file


def main(crate: str, target: str) -> str:
    """Give the document."""
    # The library is in build/venv alone, with which this is run.
    from cyclonedx.contrib.license.factories import LicenseFactory
    from cyclonedx.model import HashAlgorithm, HashType
    from cyclonedx.model.bom import Bom
    from cyclonedx.model.component import Component, ComponentType
    from cyclonedx.output.json import JsonV1Dot6
    from packageurl import PackageURL

    licenses = LicenseFactory()
    packages, needs = _linked(crate, target)

    def component(package: Package) -> Component:
        name, version, digest = package["name"], package["version"], package["checksum"]
        # A slash is the older way to write an alternative.
        terms = (package["license"] or "").replace("/", " OR ")
        return Component(
            name=name,
            version=version,
            type=ComponentType.LIBRARY,
            bom_ref=f"{name}@{version}",
            purl=PackageURL("cargo", None, name, version) if digest else None,
            licenses=[licenses.make_from_string(terms)] if terms else [],
            hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest)] if digest else [],
            description=(package["description"] or "").strip() or None,
        )

    made = {identity: component(package) for identity, package in packages.items()}
    root = next(identity for identity, package in packages.items() if package["name"] == crate)
    # The number follows from what is listed, so that the same library has the same document.
    number = uuid.uuid5(uuid.NAMESPACE_URL, "\n".join([target, *sorted(f"{one.name}@{one.version}" for one in made.values())]))
    bom = Bom(serial_number=number, components=[one for identity, one in made.items() if identity != root])
    bom.metadata.component = made[root]
    bom.metadata.timestamp = datetime.fromtimestamp(archives.epoch(), timezone.utc)
    for identity, needed in needs.items():
        bom.register_dependency(made[identity], [made[one] for one in needed])
    return JsonV1Dot6(bom).output_as_string(indent=1) + "\n"


def _linked(crate: str, target: str) -> tuple[dict[str, Package], dict[str, list[str]]]:
    """Give the packages that are linked into a crate by their identities, and what each of them needs.

    Not those that only build others: build scripts, and macros.
    """
    command = ["cargo", "metadata", "--format-version=1", "--locked", f"--filter-platform={target}"]
    told = json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout)
    all_packages: dict[str, Package] = {package["id"]: package for package in told["packages"]}
    nodes = {node["id"]: node for node in told["resolve"]["nodes"]}
    checksums = dict(_checksums())

    def is_linked(identity: str) -> bool:
        kinds = {kind for made in all_packages[identity]["targets"] for kind in made["kind"]}
        return "proc-macro" not in kinds

    found: dict[str, Package] = {}
    needs: dict[str, list[str]] = {}
    todo = [next(identity for identity, package in all_packages.items() if package["name"] == crate)]
    while todo:
        identity = todo.pop()
        if identity in found:
            continue
        package = all_packages[identity]
        found[identity] = package | {"checksum": checksums.get((package["name"], package["version"]))}
        normal = [dep["pkg"] for dep in nodes[identity]["deps"] if any(kind["kind"] is None for kind in dep["dep_kinds"])]
        needs[identity] = sorted(filter(is_linked, normal))
        todo += needs[identity]
    return found, needs


def _checksums() -> Iterator[tuple[tuple[str, str], str]]:
    """Read from Cargo.lock what it has of each package of a registry."""
    for block in (ROOT / "Cargo.lock").read_text(encoding="utf-8").split("[[package]]"):
        values = dict(line.split(" = ", 1) for line in block.splitlines() if " = " in line)
        if "checksum" in values:
            yield (values["name"].strip('"'), values["version"].strip('"')), values["checksum"].strip('"')


def _host() -> str:
    """Name the target of this machine."""
    told = subprocess.run(["rustc", "-vV"], capture_output=True, text=True, check=True).stdout
    return next(line.removeprefix("host: ") for line in told.splitlines() if line.startswith("host: "))


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    Path(sys.argv[2]).write_text(main(sys.argv[1], sys.argv[3]), encoding="utf-8")
