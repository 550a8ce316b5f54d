"""C++."""

from __future__ import annotations

from host_c import C


class Cpp(C):
    """Programs are compiled with build/c, whose header for C++ is undergo.hpp."""

    name = "cpp"
    program = "main.cpp"
    header = ".hpp"
    compiler = ("CXX", "c++", "there is no C++ compiler: apt install g++, or set CXX")
    flags = ("-std=c++17", "-pthread")
