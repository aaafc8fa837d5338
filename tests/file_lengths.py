"""Fails when a Python file is longer than 400 lines or a function longer than 80: such code has more than one job."""

import ast
import subprocess
import sys
from pathlib import Path

FILE_LINES, FUNCTION_LINES = 400, 80


def too_long(path: Path) -> list[str]:
    """What is too long in a file, one line each."""
    text = path.read_text(encoding="utf-8")
    found = []
    if (lines := text.count("\n")) > FILE_LINES:
        found.append(f"{path}: {lines} lines, {FILE_LINES} at most")
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > FUNCTION_LINES:
                found.append(f"{path}:{node.lineno}: {node.name} is {length} lines, {FUNCTION_LINES} at most")
    return found


def main() -> int:
    """Check every Python file that git tracks."""
    names = subprocess.run(["git", "ls-files", "*.py"], capture_output=True, text=True, check=True).stdout.split()
    found = [line for name in names if Path(name).is_file() for line in too_long(Path(name))]
    print("\n".join(found) or f"{len(names)} files, none too long")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
