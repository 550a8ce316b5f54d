"""The host languages. `hosts.py NAME` builds one of them, `hosts.py` all."""

from __future__ import annotations

import sys

from host import Host
from host_c import C
from host_cpp import Cpp
from host_go import Go
from host_java import Java
from host_kotlin import Kotlin
from host_node import Node
from host_python import Python
from host_ruby import Ruby
from host_rust import Rust

HOSTS: dict[str, Host] = {host.name: host for host in (Python(), Node(), C(), Cpp(), Go(), Java(), Kotlin(), Ruby(), Rust())}

if __name__ == "__main__":
    for name in sys.argv[1:] or HOSTS:
        reason = HOSTS[name].missing()
        if reason:
            print(f"{name} is left out: {reason}", file=sys.stderr)
        else:
            HOSTS[name].build()
