#!/usr/bin/env python3
"""Says which functions of a linked program can panic.

    tests/no-panic/panics.py PROGRAM...    closes with 1 if there are any

It follows the calls in the code back from what handles a panic, through the core library's own functions, to the first
function that is none of those. It sees no call through a pointer: whether a panic can be reached at all, only the linker
knows (see `check`).
"""

import functools
import re
import subprocess
import sys
from pathlib import Path

FUNCTION = re.compile(r"^[0-9a-f]+ <(.*)>:$")
# An instruction with a function in its operand, or a place in it, and perhaps a comment.
TARGET = re.compile(r"^ *[0-9a-f]+:[^<]*<(.*?)(?:\+0x[0-9a-f]+)?>(?: @.*)?$")
# What handles a panic, and what leads there if that was inlined.
HANDLERS = re.compile(r"rust_begin_unwind|^core::panicking::")


@functools.cache
def llvm(name):
    """A tool of rustup's component `llvm-tools`."""
    root = subprocess.run(["rustc", "--print", "sysroot"], check=True, capture_output=True, text=True).stdout.strip()
    return str(next(Path(root).rglob(name)))


def is_core(function):
    return re.match(r"<*(core|<?\[T\]|str|char)\b|__rust", function) is not None


def callers(program, but=()):
    """The functions that lead to the handler of panics, each with the way there: {function: way}. Panics of
    the core library whose name ends with one of `but` are left out."""
    listing = subprocess.run(
        [llvm("llvm-objdump"), "--disassemble", "--demangle", "--no-show-raw-insn", program],
        check=True, capture_output=True, text=True,
    ).stdout
    calls = {}
    function = None
    for line in listing.splitlines():
        if begin := FUNCTION.match(line):
            function = begin[1]
        elif (target := TARGET.search(line)) and target[1] != function:
            calls.setdefault(target[1], set()).add(function)
    ways = {name: (name,) for name in calls if HANDLERS.search(name) and not name.endswith(tuple(but))}
    ignored = {name for name in calls if HANDLERS.search(name)} - set(ways)
    found = {}
    todo = list(ways)
    while todo:
        callee = todo.pop(0)
        callers = sorted(calls.get(callee, ()))
        if not callers and not HANDLERS.search(callee):
            # Called through a pointer.
            found[callee] = ways[callee]
        for caller in callers:
            way = (caller, *ways[callee])
            if caller in ignored:
                continue
            if not is_core(caller):
                found.setdefault(caller, way)
            elif caller not in ways:
                ways[caller] = way
                todo.append(caller)
    return found


def show(found):
    """One line for each: the function, and what of the core library it calls."""
    return "\n".join(f"  {caller} -> {way[1]}" for caller, way in sorted(found.items())) or "  none"


if __name__ == "__main__":
    found = {program: callers(program) for program in sys.argv[1:]}
    for program, panics in found.items():
        print(show(panics))
    sys.exit(any(found.values()))
