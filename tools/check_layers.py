#!/usr/bin/env python3
"""Checks that the modules below src/ keep to the map of ARCHITECTURE.md.

A module is a folder with a CMakeLists.txt that calls midonet_module(NAME ... DEPENDS ...). For each:
- what it includes from other modules is in its DEPENDS, and each of its DEPENDS exists;
- it includes no `internal/` header of another module, and no file that is not there;
- the DEPENDS have no cycle;
- no header that `simulation` sees, directly or through others, is of nsdb, datapath, netlink or a peer of them;
  the same for `rest`, `agent` and `cli`, of each other;
- README.md exists.
Files of more than 400 lines are listed with --long, more than 700 are an error.

Usage: tools/check_layers.py [--root DIR] [--long]. Exit code 1 with one line for each finding.
"""
import argparse
import pathlib
import re
import sys

LONG = 400
TOO_LONG = 700
# module -> modules of which it must see no header, directly or through other headers.
FORBIDDEN = {
    "simulation": ["nsdb", "datapath", "netlink", "http", "zookeeper"],
    "rest": ["agent", "cli"],
    "agent": ["rest", "cli"],
    "cli": ["rest", "agent", "nsdb"],
    "hosttools": ["rest", "agent", "cli"],
}
KEYWORDS = {"SOURCES", "HEADERS", "DEPENDS", "LIBRARIES", "PRIVATE_LIBRARIES"}
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)


class Module:
    def __init__(self, name, folder, depends):
        self.name = name
        self.folder = folder
        self.depends = depends


def read_modules(src):
    """The modules below src by name: "base", "datapath/fake"."""
    modules = {}
    for cmake in sorted(src.rglob("CMakeLists.txt")):
        text = re.sub(r"#.*", "", cmake.read_text())
        for call in re.finditer(r"midonet_module\(\s*(\S+)([^)]*)\)", text):
            depends, current = [], None
            for word in call.group(2).split():
                if word in KEYWORDS:
                    current = word
                elif current == "DEPENDS":
                    depends.append(word)
            modules[call.group(1)] = Module(call.group(1), cmake.parent, depends)
    return modules


def sources(module, modules):
    """The C++ files of a module: not those of its tests, nor of modules nested in its folder."""
    nested = [m.folder for m in modules.values() if m.folder != module.folder and module.folder in m.folder.parents]
    for path in sorted(module.folder.rglob("*")):
        relative = path.relative_to(module.folder).parts
        if path.suffix not in (".h", ".cpp") or "tests" in relative or "testing" in relative:
            continue
        if any(n in path.parents for n in nested):
            continue
        yield path


def owner_of(include, modules):
    """The module that a path like "datapath/fake/x.h" belongs to: the longest name that fits."""
    parts = include.split("/")
    for length in range(len(parts) - 1, 0, -1):
        name = "/".join(parts[:length])
        if name in modules:
            return name
    return None


def exists(header):
    """Headers made by protoc are in the build folder."""
    return header.exists() or header.name.endswith(".pb.h")


def check_includes(module, modules, src):
    for path in sources(module, modules):
        for include in INCLUDE.findall(path.read_text()):
            owner = owner_of(include, modules)
            where = path.relative_to(src.parent)
            if owner is None or owner == module.name:
                if owner and not exists(src / include):
                    yield f"{where}: includes {include}, which does not exist"
                continue
            if owner not in module.depends:
                yield f"{where}: includes {include}, but {module.name} does not DEPEND on {owner}"
            if not exists(src / include):
                yield f"{where}: includes {include}, which does not exist"
            if "/internal/" in include:
                yield f"{where}: includes {include}, which is internal to {owner}"


def check_cycles(modules):
    done, path = set(), []

    def visit(name):
        if name in path:
            yield "DEPENDS go in a circle: " + " -> ".join(path[path.index(name):] + [name])
            return
        if name in done or name not in modules:
            return
        path.append(name)
        for depend in modules[name].depends:
            yield from visit(depend)
        path.pop()
        done.add(name)

    for name in modules:
        yield from visit(name)


def project_includes(path, src, cache):
    """Headers below src that a file includes. Generated ones are not in the tree and end there."""
    if path not in cache:
        found = [src / include for include in INCLUDE.findall(path.read_text())]
        cache[path] = [header for header in found if header.exists()]
    return cache[path]


def check_forbidden(modules, src):
    cache = {}
    for name, banned in FORBIDDEN.items():
        if name not in modules:
            continue
        for path in sources(modules[name], modules):
            seen, todo = {path}, [(path, [])]
            while todo:
                at, way = todo.pop()
                for header in project_includes(at, src, cache):
                    if header in seen:
                        continue
                    seen.add(header)
                    chain = way + [str(header.relative_to(src))]
                    if header.relative_to(src).parts[0] in banned:
                        yield f"{path.relative_to(src.parent)}: {name} must not see {' -> '.join(chain)}"
                        continue
                    todo.append((header, chain))


def check(root):
    src = root / "src"
    modules = read_modules(src)
    if not modules:
        yield f"{src}: no modules found"
    for module in modules.values():
        where = module.folder.relative_to(root)
        for depend in module.depends:
            if depend not in modules:
                yield f"{where}/CMakeLists.txt: DEPENDS on {depend}, which is no module"
        if not (module.folder / "README.md").exists():
            yield f"{where}: README.md is missing (purpose, main types, who calls it, threads)"
        yield from check_includes(module, modules, src)
    yield from check_cycles(modules)
    yield from check_forbidden(modules, src)
    for path, lines in lengths(root):
        if lines > TOO_LONG:
            yield f"{path.relative_to(root)}: {lines} lines, more than {TOO_LONG}; split it by idea"


def lengths(root):
    for folder in ("src", "apps", "bpf", "tests"):
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in (".h", ".cpp", ".c", ".py"):
                yield path, path.read_text().count("\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parent.parent)
    parser.add_argument("--long", action="store_true", help=f"list files of more than {LONG} lines")
    options = parser.parse_args()
    if options.long:
        for path, lines in lengths(options.root):
            if lines > LONG:
                print(f"{lines:5} {path.relative_to(options.root)}")
    findings = list(check(options.root))
    for finding in findings:
        print(finding, file=sys.stderr)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
