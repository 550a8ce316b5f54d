"""Writes the generated files that are committed: the generator's golden files, the C header, typed code of examples."""

from __future__ import annotations

import go
import guest
from project import BUILD, CLI, CONFORMANCE, ROOT, cargo_test, environment, run

LANGUAGES = {".py": "python", ".h": "c", ".hpp": "cpp", ".rs": "rust", ".swift": "swift"}
"""What the files of examples that bindgen writes are in."""


def main() -> None:
    """Write all of them."""
    env = environment(go.find())
    run([go.find(), "test", "-count=1", "./cmd/undergo-gen", "-update"], cwd=ROOT / "go-guest-sdk", env=env)
    # Of all packages, as the tests are built: with other features the engine would be compiled once
    # more.
    run([*cargo_test(), "--quiet", "--test=header"], env=env | {"UNDERGO_UPDATE_HEADER": "1"})
    guest.build(go.find(), CONFORMANCE)
    clients = ROOT / "bindings-go" / "internal"
    for wasm in (CONFORMANCE, ROOT / "conformance" / "components" / "items.wasm"):
        run([CLI, "bindgen", wasm, "--lang", "go", "-o", clients / wasm.stem / f"{wasm.stem}.go"], env=env)
    for module in sorted((ROOT / "examples").glob("*/*_plugin.*")):
        language = LANGUAGES.get(module.suffix)
        if language is None:
            continue
        wasm = BUILD / "examples" / f"{module.parent.name}.wasm"
        wasm.parent.mkdir(parents=True, exist_ok=True)
        run([CLI, "build", module.parent / "plugin", "-o", wasm], env=env)
        run([CLI, "bindgen", wasm, "--lang", language, "-o", module], env=env)


if __name__ == "__main__":
    main()
