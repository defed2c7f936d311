#!/usr/bin/env python3
"""Fails where the tree breaks a rule about its files. Called by `make check`.

- A file of Rust that is not generated has at most 450 lines.
- core/src has at most 16 files of Rust at its root.
- No file, and no folder, imports one that imports it, over however many steps. That a module and its
  own parts name each other does not count, nor does what only tests import. Re-exports are followed
  to the file that has the item.
"""

import collections
import pathlib
import re
import subprocess
import sys

MOST_LINES = 450
MOST_AT_ROOT = 16
GENERATED = "sdk/src/bindings/"

TOKENS = re.compile(r'//[^\n]*|/\*.*?\*/|b?r(#*)".*?"\1|b?"(?:\\.|[^"\\])*"', re.S)
USE = re.compile(r"\b(pub(?:\([^)]*\))?\s+)?use\s+([^;]+);")
PATH = re.compile(r"\b(?:crate|super|self)(?:::\w+)+")


def tracked(pattern):
    out = subprocess.run(["git", "ls-files", pattern], capture_output=True, check=True, text=True)
    return [file for file in out.stdout.split() if pathlib.Path(file).exists()]


def code(file):
    """Without comments, texts and the tests at the end."""
    text = TOKENS.sub(lambda token: " " if token[0].startswith("/") else '""', pathlib.Path(file).read_text())
    return re.split(r"#\[cfg\(test\)\]\s*mod \w+ \{", text)[0]


def paths_of(tree):
    """The paths that a `use` names, and what each is called from then on."""
    tree = tree.strip()
    head, brace, rest = tree.partition("{")
    if not brace:
        path, _, alias = tree.partition(" as ")
        parts = [part.strip() for part in path.split("::")]
        name = alias.strip() or parts[-1]
        return [(parts[:-1], parts[-2] if len(parts) > 1 else name)] if parts[-1] == "self" else [(parts, name)]
    prefix = [part.strip() for part in head.split("::") if part.strip()]
    depth, parts = 0, [""]
    for char in rest[: rest.rindex("}")]:
        depth += {"{": 1, "}": -1}.get(char, 0)
        if char == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += char
    return [(prefix + path, name) for part in parts if part.strip() for path, name in paths_of(part)]


class Crate:
    """The modules below a folder, by their paths."""

    def __init__(self, root):
        self.files = {}
        for file in tracked(f"{root}/*.rs"):
            parts = pathlib.Path(file).relative_to(root).with_suffix("").parts
            if parts[0] == "bin" or "tests" in parts:
                continue
            parts = parts[:-1] if parts[-1] in ("mod", "lib", "main") else parts
            self.files[parts] = file
        self.code = {module: code(file) for module, file in self.files.items()}
        self.names = {module: self.imports(module) for module in self.files}

    def imports(self, module):
        named = {}
        for use in USE.finditer(self.code[module]):
            named.update({name: path for path, name in paths_of(use[2])})
        return named

    def absolute(self, module, path):
        if path[0] == "crate":
            return path[1:]
        if path[0] in ("self", "super"):
            up = len(path) - len([part for part in path if part != "super"])
            base = module[: len(module) - up]
            return [*base, *[part for part in path if part not in ("self", "super")]]
        return [*module, *path] if (*module, path[0]) in self.files else None

    def owner(self, path, steps=8):
        """The module that has an item, wherever it is exported again."""
        module = next(tuple(path[:n]) for n in range(len(path), -1, -1) if tuple(path[:n]) in self.files or n == 0)
        rest = path[len(module) :]
        again = self.names.get(module, {}).get(rest[0]) if rest else None
        target = again and self.absolute(module, again)
        return self.owner([*target, *rest[1:]], steps - 1) if target and steps else module

    def edges(self):
        edges = collections.defaultdict(set)
        for module, text in self.code.items():
            uses = [path for use in USE.finditer(text) if not use[1] for path, _ in paths_of(use[2])]
            uses += [path[0].split("::") for path in PATH.finditer(USE.sub("", text))]
            for path in uses:
                target = self.absolute(module, path)
                if target is not None:
                    edges[module].add(self.owner(target))
        return edges


def is_part(one, other):
    return one[: len(other)] == other or other[: len(one)] == one


def circles(edges):
    """Groups of nodes each of which leads to all others."""
    def reached(start):
        seen, waiting = set(), [start]
        while waiting:
            for node in edges.get(waiting.pop(), ()):
                if node not in seen:
                    seen.add(node)
                    waiting.append(node)
        return seen

    reach = {node: reached(node) for node in edges}
    groups = {frozenset({node} | {to for to in reach[node] if node in reach.get(to, ())}) for node in edges}
    return [sorted(group) for group in groups if len(group) > 1]


def folders(edges):
    """For each folder, which of its entries imports which."""
    levels = collections.defaultdict(lambda: collections.defaultdict(set))
    for one, others in edges.items():
        for other in others:
            same = next((n for n, (a, b) in enumerate(zip(one, other)) if a != b), None)
            if same is not None:
                levels[one[:same]][one[same]].add(other[same])
    return levels


def problems():
    for file in tracked("*.rs"):
        lines = len(pathlib.Path(file).read_text().splitlines())
        if lines > MOST_LINES and not file.startswith(GENERATED):
            yield f"{file} has {lines} lines; more than {MOST_LINES} are hard to read"
    root = [file for file in tracked("core/src/*.rs") if file.count("/") == 2]
    if len(root) > MOST_AT_ROOT:
        yield f"core/src has {len(root)} files at its root, more than {MOST_AT_ROOT}"
    for library in tracked("*src/lib.rs"):
        crate = Crate(str(pathlib.Path(library).parent))
        edges = crate.edges()
        between = {one: {other for other in others if other and not is_part(one, other)} for one, others in edges.items() if one}
        for circle in circles(between):
            yield "these files import each other: " + ", ".join(crate.files[module] for module in circle)
        for folder, entries in folders(between).items():
            for circle in circles(entries):
                where = "::".join(("crate", *folder))
                yield f"{library}: these parts of {where} import each other: " + ", ".join(circle)


def main():
    found = list(problems())
    for problem in found:
        print(problem, file=sys.stderr)
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
