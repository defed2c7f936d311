#!/usr/bin/env python3
"""Makes a copy of the tree that speaks the version of the contract in 1.1.toml, which is for tests alone.

    grow.py FOLDER    writes it there, for `make later`; files that are as they were stay untouched
    grow.py --check   fails where the tree has changed so that the version cannot be made of it
"""

import pathlib
import shutil
import subprocess
import sys
import tomllib

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent.parent
LATER = tomllib.loads((HERE / "1.1.toml").read_text())
CONTRACT = "sdk/wit/filter.wit"
# Says that a folder was made here, so that what is in it may be removed.
MARK = ".later"
# What only a proxy of that version can answer, where cargo finds it as tests.
TESTS = "tests/tests/later.rs"


def tracked():
    out = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True)
    files = (pathlib.PurePath(file) for file in out.stdout.split("\0") if file)
    return [file for file in files if (ROOT / file).exists()]


def grown(file):
    """The content of a file of the tree in the later version."""
    content = (ROOT / file).read_bytes()
    for change in LATER["change"]:
        find = change["find"].encode()
        if file.match(change["file"]) and find in content:
            content = content.replace(find, change["replace"].encode())
            change["is_made"] = True
    if file == pathlib.PurePath(CONTRACT):
        package = "package portcullis:filter@{};".format
        content = content.replace(package("1.0.0").encode(), package(LATER["version"]).encode())
    return content


def write(file, content):
    if not file.exists() or file.read_bytes() != content:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)


def main():
    files = tracked()
    copies = {file: grown(file) for file in files}
    for change in LATER["change"]:
        if "is_made" not in change:
            sys.exit(f"{change['file']} has nowhere {change['find']!r}, which tests/later/1.1.toml replaces: mend it there")
    if sys.argv[1:] == ["--check"]:
        return
    folder = pathlib.Path(sys.argv[1])
    if folder.exists() and any(folder.iterdir()) and not (folder / MARK).exists():
        sys.exit(f"{folder} has files that are not of such a copy, and they would be removed: name another folder")
    copies[pathlib.PurePath(TESTS)] = (HERE / "tests.rs").read_bytes()
    write(folder / MARK, b"")
    for file, content in copies.items():
        write(folder / file, content)
        shutil.copymode(ROOT / file if file in files else HERE / "tests.rs", folder / file)
    # What is not in the tree any more is not in the copy, but what was built stays.
    for file in sorted(folder.rglob("*")):
        below = file.relative_to(folder)
        if below.parts[0] not in ("target", MARK) and file.is_file() and pathlib.PurePath(below) not in copies:
            file.unlink()


main()
