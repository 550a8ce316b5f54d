"""Go programs at random, with all sorts of control flow, that print what they compute and where they panic."""

from __future__ import annotations

import random
from collections.abc import Callable

PRELUDE = """package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
)

type node struct {
	value int
	next  *node
}

type state struct {
	n    int
	list []int
	m    map[int]int
	p    *node
	text string
}

type shape interface{ area(r *state) int }
type square int
type circle struct{ radius int }

func (s square) area(r *state) int  { return int(s) * int(s) }
func (c *circle) area(r *state) int { r.m[c.radius&7]++; return c.radius * 3 }

func shapes(i int) shape {
	switch i & 3 {
	case 0:
		return square(i)
	case 1:
		return &circle{i}
	}
	return nil
}

func count(n int) func(func(int) bool) {
	return func(yield func(int) bool) {
		for i := 0; i < n; i++ {
			if !yield(i) {
				return
			}
		}
	}
}

// Lines of the functions that a panic went through.
func lines() (text string) {
	pcs := make([]uintptr, 64)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	for {
		frame, more := frames.Next()
		if len(frame.Function) > 6 && frame.Function[:6] == "main.f" {
			text += fmt.Sprint(" ", frame.Function, ":", frame.Line)
		}
		if !more {
			return text
		}
	}
}

func run(number, seed int) {
	r := &state{n: 400, list: []int{3, 1, 4, 1, 5, 9, 2, seed}, m: map[int]int{1: seed}, p: &node{seed, &node{7, nil}}}
	defer func() {
		if e := recover(); e != nil {
			fmt.Println(number, seed, "panic:", e, lines())
		}
		sum := 0
		for i, v := range r.list {
			sum = sum*31 + v + i
		}
		fmt.Println(number, seed, "state:", r.n, sum, len(r.m), r.m[1], len(r.text))
	}()
	fmt.Println(number, seed, "result:", functions[number](r, seed, seed*7+1))
}

func main() {
	runs := 20
	if len(os.Args) > 1 {
		runs, _ = strconv.Atoi(os.Args[1])
	}
	for number := range functions {
		for seed := range runs {
			run(number, seed)
		}
	}
}
"""

STEP = 'if r.n--; r.n < 0 { panic("steps") }'

VARIABLES = "abcd"


class Writer:
    """Writes the body of one function, a line at a time."""

    def __init__(self, chance: random.Random, number: int) -> None:
        self.chance, self.number = chance, number
        self.lines: list[str] = []
        self.labels = [f"l{i}" for i in range(chance.randrange(4))]
        self.loops: list[str] = []
        self.names = 0
        self.in_function = True
        """Whether a statement is in the function itself, and not in one within it: only there labels can be jumped to."""

    def name(self, prefix: str) -> str:
        """Give a new name."""
        self.names += 1
        return f"{prefix}{self.names}"

    def variable(self) -> str:
        """Give a variable."""
        return self.chance.choice(VARIABLES)

    def value(self, depth: int = 0) -> str:
        """Give an expression. Some of them panic for some values."""
        kinds: list[Callable[[], str]] = [
            lambda: self.variable(),
            lambda: str(self.chance.randrange(-3, 12)),
            lambda: f"({self.value(depth + 1)} {self.chance.choice(['+', '-', '*', '&', '|', '^'])} {self.value(depth + 1)})",
            lambda: f"r.list[{self.variable()}&7]",
            lambda: f"r.m[{self.variable()}&7]",
            lambda: "len(r.text)",
            lambda: f"({self.variable()} << ({self.variable()} & 15))",
        ]
        dangerous: list[Callable[[], str]] = [
            lambda: f"(100 / {self.variable()})",
            lambda: f"r.list[{self.variable()}]",
            lambda: "r.p.next.value",
            lambda: f"shapes({self.variable()}).area(r)",
            lambda: f"({self.variable()} % ({self.variable()} & 3))",
        ]
        chosen = kinds[:2] if depth > 2 else kinds + (dangerous if self.chance.random() < 0.15 else [])
        return self.chance.choice(chosen)()

    def condition(self) -> str:
        """Give a condition."""
        if self.chance.random() < 0.2:
            both = self.chance.choice(["&&", "||"])
            return f"{self.condition()} {both} {self.condition()}"
        return f"{self.value(1)} {self.chance.choice(['<', '>', '==', '!=', '<=', '>='])} {self.value(1)}"

    def block(self, depth: int, most: int = 4) -> None:
        """Write some statements."""
        for _ in range(self.chance.randrange(1, most)):
            self.statement(depth)

    def statement(self, depth: int) -> None:
        """Write a statement."""
        simple = [self.assign, self.assign, self.store, self.leave, self.jump]
        compound = [
            self.branch,
            self.loop,
            self.switch,
            self.closure,
            self.deferred,
            self.goroutine,
            self.select,
            self.iterate,
            self.call,
            self.types,
        ]
        self.chance.choice(simple if depth > 3 else simple + compound)(depth)

    def assign(self, depth: int) -> None:
        """Set a variable."""
        self.lines.append(f"{self.variable()} = {self.value()}")

    def store(self, depth: int) -> None:
        """Set something in memory."""
        place = self.chance.choice(["r.list[a&7]", "r.list[b&7]", "r.m[c&15]", "r.m[1]", "r.p.value"])
        self.lines.append(
            self.chance.choice(
                [f"{place} = {self.value()}", f"{place}++", "r.text += strconv.Itoa(d & 255)", "r.p = r.p.next", "r.p = &node{a, r.p}"]
            )
        )

    def leave(self, depth: int) -> None:
        """Leave a loop, or the function, at times."""
        self.lines.append(f"if {self.condition()} {{")
        if self.loops and self.chance.random() < 0.8:
            word = self.chance.choice(["break", "continue"])
            self.lines.append(f"{word} {self.chance.choice(self.loops)}")
        else:
            self.lines.append(f"return {self.value()}")
        self.lines.append("}")

    def jump(self, depth: int) -> None:
        """Jump to a label of the function, at times."""
        if self.in_function and self.labels:
            self.lines += [f"if {self.condition()} {{", STEP, f"goto {self.chance.choice(self.labels)}", "}"]
        else:
            self.assign(depth)

    def branch(self, depth: int) -> None:
        """Write an if."""
        self.lines.append(f"if {self.condition()} {{")
        self.block(depth + 1)
        if self.chance.random() < 0.5:
            self.lines.append("} else {")
            self.block(depth + 1)
        self.lines.append("}")

    def loop(self, depth: int) -> None:
        """Write a loop with a label."""
        label, i = self.name("loop"), self.name("i")
        head = self.chance.choice(
            [f"for {i} := 0; {i} < {self.chance.randrange(2, 6)}; {i}++", f"for {self.condition()}", "for", f"for {i} := range r.list"]
        )
        used = f"{self.variable()} += {i}" if i in head else ""
        self.lines += [f"{label}:", f"{head} {{", STEP, used]
        self.loops.append(label)
        self.block(depth + 1)
        self.loops.pop()
        self.lines += [f"if {self.condition()} {{", f"break {label}", "}", "}"]

    def switch(self, depth: int) -> None:
        """Write a switch, with a table of jumps or without."""
        self.lines.append(f"switch {self.value()} & {self.chance.choice([3, 7, 15])} {{")
        cases = list(range(self.chance.choice([3, 9])))
        for case in cases:
            self.lines.append(f"case {case}:")
            self.block(depth + 2, 2)
            if case != cases[-1] and self.chance.random() < 0.2:
                self.lines.append("fallthrough")
        self.lines += ["default:", f"{self.variable()}++", "}"]

    def nested(self, depth: int, most: int = 3) -> None:
        """Write statements of a function within this one."""
        loops, in_function = self.loops, self.in_function
        self.loops, self.in_function = [], False
        self.block(depth + 1, most)
        self.loops, self.in_function = loops, in_function

    def closure(self, depth: int) -> None:
        """Call a function that is made on the spot."""
        self.lines.append(f"{self.variable()} += func() int {{")
        self.nested(depth)
        self.lines += [f"return {self.value()}", "}()"]

    def deferred(self, depth: int) -> None:
        """Have something done at the end of a function within this one, which recovers from panics at times."""
        self.lines += [f"{self.variable()} = func() (result int) {{", "defer func() {"]
        if self.chance.random() < 0.6:
            self.lines += ["if e := recover(); e != nil {", 'if e == "steps" { panic(e) }', "result = len(fmt.Sprint(e, lines()))", "}"]
        self.lines += [f"{self.variable()}++", "}()"]
        if self.chance.random() < 0.3:
            self.lines += [f"for range {self.chance.randrange(1, 4)} {{", f"defer func() {{ {self.variable()} += 2 }}()", "}"]
        self.nested(depth)
        if self.chance.random() < 0.3:
            self.lines += [f"if {self.condition()} {{", f"panic({self.value()})", "}"]
        self.lines += [f"return {self.value()}", "}()"]

    def goroutine(self, depth: int) -> None:
        """Compute something elsewhere, and wait for it."""
        ch = self.name("ch")
        buffered = self.chance.choice(["", ", 2"])
        self.lines += [
            f"{ch} := make(chan int{buffered})",
            f"go func(x int) {{ for i := range 3 {{ {ch} <- x + i*{self.chance.randrange(5)}; runtime.Gosched() }}; "
            f"close({ch}) }}({self.value(2)})",
            f"for v := range {ch} {{",
            STEP,
            f"{self.variable()} ^= v",
            "}",
        ]
        self.wrap_last(6)

    def select(self, depth: int) -> None:
        """Choose between channels of which one is ready."""
        ch = self.name("ch")
        self.lines += [
            f"{ch} := make(chan int, 1)",
            f"if {self.condition()} {{ {ch} <- {self.value(2)} }}",
            "select {",
            f"case v := <-{ch}:",
            f"{self.variable()} -= v",
            "default:",
            f"{self.variable()}++",
            "}",
        ]
        self.wrap_last(8)

    def wrap_last(self, lines: int) -> None:
        """Put the last lines in a block, since nothing may be declared where labels are jumped over."""
        self.lines[-lines:] = ["{", *self.lines[-lines:], "}"]

    def iterate(self, depth: int) -> None:
        """Loop over a function."""
        label, v = self.name("loop"), self.name("v")
        self.lines += [f"{label}:", f"for {v} := range count({self.chance.randrange(1, 5)}) {{", STEP, f"{self.variable()} += {v}"]
        self.loops.append(label)
        self.block(depth + 1, 3)
        self.loops.pop()
        self.lines += [f"if {self.condition()} {{", f"continue {label}", "}", "}"]

    def call(self, depth: int) -> None:
        """Call another function, one with a lower number."""
        if self.number == 0:
            self.assign(depth)
        else:
            other = self.chance.randrange(self.number)
            self.lines += [STEP, f"{self.variable()} += f{other}(r, {self.value(2)} & 31, {self.value(2)} & 31)"]

    def types(self, depth: int) -> None:
        """Switch on a type."""
        s = self.name("s")
        self.lines += [
            f"switch {s} := shapes({self.variable()}).(type) {{",
            "case square:",
            f"{self.variable()} = int({s})",
            "case *circle:",
            f"{self.variable()} += {s}.area(r)",
            "case nil:",
            f"_ = {s}",
            f"{self.variable()}--",
            "}",
        ]

    def write(self) -> str:
        """Give the function."""
        self.lines.append("c, d := a+1, b-1")
        for label in self.labels:
            self.block(1)
            # Each label is jumped to, as Go wants it.
            self.lines += [f"{label}:", STEP, f"if r.n == 3 {{ goto {self.chance.choice(self.labels)} }}"]
            self.lines.append(f"if {self.condition()} {{ goto {label} }}")
        self.block(1, 6)
        body = "\n".join(line for line in self.lines if line)
        return f"func f{self.number}(r *state, a, b int) int {{\n{body}\nreturn a ^ b ^ c ^ d\n}}\n"


def program(seed: int, functions: int) -> str:
    """Write a program of so many functions."""
    chance = random.Random(seed)
    written = [Writer(chance, number).write() for number in range(functions)]
    names = ", ".join(f"f{number}" for number in range(functions))
    table = f"var functions []func(*state, int, int) int\n\nfunc init() {{ functions = []func(*state, int, int) int{{{names}}} }}\n"
    return "\n".join([PRELUDE, table, *written])
