"""Writes the generated files that are committed: the generator's golden files, and the typed modules of examples."""

from __future__ import annotations

import go
from project import BUILD, CLI, ROOT, environment, run


def main() -> None:
    """Write all of them."""
    env = environment(go.find())
    run([go.find(), "test", "-count=1", "./cmd/undergo-gen", "-update"], cwd=ROOT / "go-guest-sdk", env=env)
    for module in sorted((ROOT / "examples").glob("*/*_plugin.py")):
        wasm = BUILD / "examples" / f"{module.parent.name}.wasm"
        wasm.parent.mkdir(parents=True, exist_ok=True)
        run([CLI, "build", module.parent / "plugin", "-o", wasm], env=env)
        run([CLI, "bindgen", wasm, "--lang", "python", "-o", module], env=env)


if __name__ == "__main__":
    main()
