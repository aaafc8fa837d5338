"""The reference, made from every ``__all__`` of the library whenever the documentation is built (a hook of MkDocs).

A page stands for a package. It holds the package's docstring and then, file by file, the file's docstring (where the
equations are), every public name with its docstring, and the fields of its classes with the comment that stands beside
each. A public name without a docstring is a warning, which the strict build refuses.
"""

import ast
import importlib
import inspect
import logging
import pkgutil
import textwrap
from collections.abc import Iterator
from types import ModuleType
from typing import Any, NamedTuple

import spikeloop

# Modules that have no `__all__`, and whose public names are what they define themselves.
MODULES = ("spikeloop.component", "spikeloop.ready_made")

log = logging.getLogger("mkdocs.hooks.reference")


class Page(NamedTuple):
    """A page of the reference: the module whose public names it holds."""

    module: ModuleType
    names: tuple[str, ...]

    @property
    def title(self) -> str:
        """Name of the page in the navigation."""
        return self.module.__name__.removeprefix("spikeloop.")

    @property
    def path(self) -> str:
        """Its file below docs/."""
        return f"reference/{self.title}.md"

    @property
    def objects(self) -> dict[str, Any]:
        """The public names and what they stand for."""
        return {name: getattr(self.module, name) for name in self.names}


def pages() -> list[Page]:
    """Every page: the packages that have an `__all__`, and MODULES; the library's own page first."""
    names = ["spikeloop"]
    names += [found.name for found in pkgutil.walk_packages(spikeloop.__path__, "spikeloop.") if found.ispkg]
    found = [Page(module, tuple(module.__all__)) for module in map(_load, names) if hasattr(module, "__all__")]
    return found + [Page(module, tuple(_defined(module))) for module in map(_load, MODULES)]


def undocumented() -> list[str]:
    """The public names that have no docstring of their own."""
    return [
        f"{page.module.__name__}.{name}"
        for page in pages()
        for name, value in page.objects.items()
        if not has_docstring(value)
    ]


def has_docstring(value: Any) -> bool:
    """Whether a docstring was written for it; what dataclasses and types hand down does not count."""
    if not inspect.isclass(value) and not callable(value):
        return value.__doc__ is not None and value.__doc__ != type(value).__doc__
    text = value.__dict__.get("__doc__") if inspect.isclass(value) else value.__doc__
    return bool(text) and not text.startswith(f"{value.__name__}(")


def markdown(page: Page) -> str:
    """The text of a page."""
    parts = [f"# {page.title}", inspect.getdoc(page.module) or ""]
    by_file: dict[str, list[str]] = {}
    for name, value in page.objects.items():
        by_file.setdefault(getattr(value, "__module__", page.module.__name__), []).append(name)
    for file in sorted(by_file, key=lambda file: (not file.endswith("._base"), file)):
        if file != page.module.__name__:
            parts += [f"## {_heading(file)}", inspect.getdoc(_load(file)) or ""]
        for name in by_file[file]:
            parts += [f"::: {page.module.__name__}.{name}", *_table(page.objects[name])]
    return "\n\n".join(part for part in parts if part) + "\n"


class Field(NamedTuple):
    """A field of a class, as its source has it."""

    name: str
    annotation: str
    default: str
    comment: str


def fields(cls: type) -> list[Field]:
    """The fields of a class, those that it inherits first, each with the comment at the end of its line."""
    found: dict[str, Field] = {}
    for base in reversed(cls.__mro__):
        if base.__module__.split(".")[0] == "spikeloop":
            own = _own_fields(base)
            found |= {field.name: field for field in own if base is cls or "ClassVar" not in field.annotation}
    return list(found.values())


def on_config(config: Any) -> Any:
    """Hook: the pages at the end of the navigation."""
    config.nav = [*config.nav, {"Reference": [{page.title: page.path} for page in pages()]}]
    return config


def on_files(files: Any, config: Any) -> Any:
    """Hook: the pages among the files, and a warning for each name without a docstring."""
    from mkdocs.structure.files import File

    for name in undocumented():
        log.warning(f"{name} is public, but has no docstring")
    for page in pages():
        files.append(File.generated(config, page.path, content=markdown(page)))
    return files


def _load(name: str) -> ModuleType:
    return importlib.import_module(name)


def _defined(module: ModuleType) -> Iterator[str]:
    for name, value in vars(module).items():
        made_here = getattr(value, "__module__", None) == module.__name__ and callable(value)
        if made_here and not name.startswith("_") and getattr(value, "__name__", None) == name:
            yield name


def _heading(file: str) -> str:
    stem = file.rsplit(".", 1)[1]
    return "The contract" if stem == "_base" else f"`{stem}.py`"


def _own_fields(cls: type) -> Iterator[Field]:
    source = textwrap.dedent(inspect.getsource(cls))
    lines = source.splitlines()
    body = ast.parse(source).body[0]
    assert isinstance(body, ast.ClassDef)
    for node in body.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id[0] != "_":
            behind = lines[(node.end_lineno or node.lineno) - 1].encode()[node.end_col_offset or 0 :].decode()
            default = "" if node.value is None else ast.unparse(node.value)
            yield Field(node.target.id, ast.unparse(node.annotation), default, behind.partition("#")[2].strip())


def _table(value: Any) -> list[str]:
    found = fields(value) if inspect.isclass(value) else []
    if not found:
        return []
    rows = ["| field | type | default | meaning |", "|---|---|---|---|"]
    for field in found:
        default = f"`{field.default}`" if field.default else "required"
        rows.append(f"| `{field.name}` | `{field.annotation}` | {default} | {_cell(field.comment)} |")
    return ["\n".join(rows)]


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
