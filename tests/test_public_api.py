"""The public face of the package: names, docstrings, lazy loading, and no construct type in a signature."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import re
import sys
from typing import TYPE_CHECKING, Any, Protocol

import pytest

import e320proto

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import ModuleType

EXPECTED_AT_LEAST = {
    "BytesDiscarded",
    "DecodeOptions",
    "DeviceId",
    "Limits",
    "Malformed",
    "ObisCode",
    "Quantity",
    "ServerId",
    "Telegram",
    "TelegramDecoder",
    "TransportDecoder",
    "Unit",
    "decode_file",
    "encode_file",
    "encode_transport",
    "read_capture",
}
NAMES: list[str] = list(getattr(e320proto, "__all__", ()))
CONSTRUCT = {"construct", "construct_typed"}


class _Documented(Protocol):
    """A class or a function: something with a place of definition."""

    __module__: str
    __qualname__: str


def _class_or_function(name: str) -> Any:  # noqa: ANN401 - whatever the package exports
    obj = getattr(e320proto, name)
    if not (inspect.isclass(obj) or inspect.isroutine(obj)):
        pytest.skip("a constant: it has no docstring and no signature of its own")
    return obj


def _by_kind(name: str) -> tuple[int, list[tuple[int, str]]]:
    """Constants, then classes, then functions, each with numbers in natural order: how the linter sorts ``__all__``."""
    kind = 0 if name.isupper() else 1 if name[0].isupper() else 2
    return kind, [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]


def test_all_has_the_expected_names() -> None:
    assert set(NAMES) >= EXPECTED_AT_LEAST, sorted(EXPECTED_AT_LEAST - set(NAMES))


def test_all_has_no_duplicates() -> None:
    assert len(NAMES) == len(set(NAMES))


def test_all_is_sorted() -> None:
    names = [name for name in NAMES if name != "__version__"]  # may stand at the top
    assert names
    assert names in (sorted(names), sorted(names, key=_by_kind))


def test_dir_lists_all() -> None:
    assert set(NAMES) <= set(dir(e320proto))


def test_star_import_gives_exactly_all() -> None:
    namespace: dict[str, object] = {}
    exec("from e320proto import *", namespace)  # noqa: S102 - the statement under test
    assert set(namespace) - {"__builtins__"} == set(NAMES)


def test_unknown_name_is_an_attribute_error() -> None:
    name = "no_such_name"
    with pytest.raises(AttributeError, match=name):
        getattr(e320proto, name)


def test_unknown_name_is_an_import_error() -> None:
    with pytest.raises(ImportError, match="no_such_name"):
        exec("from e320proto import no_such_name", {})  # noqa: S102 - the statement under test


@pytest.mark.parametrize("name", NAMES)
def test_name_can_be_loaded_and_is_the_same_each_time(name: str) -> None:
    assert getattr(e320proto, name) is getattr(e320proto, name)


@pytest.mark.parametrize("name", NAMES)
def test_name_has_a_docstring_of_its_own(name: str) -> None:
    obj = _class_or_function(name)
    # A class inherits ``__doc__``, and a dataclass without one gets its signature as docstring.
    doc = vars(obj).get("__doc__") if inspect.isclass(obj) else obj.__doc__
    assert doc
    assert not doc.startswith(f"{name}(")


@pytest.mark.parametrize("name", NAMES)
def test_signature_names_no_construct_type(name: str) -> None:
    assert list(_construct_types(_class_or_function(name))) == []


def test_a_construct_type_would_be_found(tmp_path: Path) -> None:
    source = tmp_path / "leaky.py"
    source.write_text(
        "from __future__ import annotations\n"
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n"
        "    from construct import Struct as Layout\n"
        "    import construct as grammar\n"
        "class Leaky:\n"
        "    field: Layout\n"
        "    @property\n"
        "    def layout(self) -> list[Layout]: ...\n"
        "    def method(self, data: bytes) -> grammar.Container | None: ...\n"
        "    def quoted(self, layout: 'Layout') -> None: ...\n"
        "    def right(self, data: bytes) -> int: ...\n"
        "    def _private(self, layout: Layout) -> int: ...\n",
        encoding="utf-8",
    )
    spec = importlib.util.spec_from_file_location("leaky", source)
    assert spec
    assert spec.loader
    leaky = importlib.util.module_from_spec(spec)
    sys.modules["leaky"] = leaky
    try:
        spec.loader.exec_module(leaky)
        found = list(_construct_types(leaky.Leaky))
    finally:
        del sys.modules["leaky"]
    assert found == [
        "Leaky.field: Layout",
        "Leaky.layout -> list[Layout]",
        "Leaky.method -> grammar.Container | None",
        "Leaky.quoted(layout): 'Layout'",
    ]


def _construct_types(obj: _Documented) -> Iterator[str]:
    """Each annotation of ``obj`` and its public members that names a construct type.

    Annotations are read from the source: most of their imports exist for the type checker only, so
    they cannot be evaluated.
    """
    module = sys.modules[obj.__module__]
    tree = ast.parse(inspect.getsource(module))
    imports = _imports(tree, module)
    for where, annotation in _annotations(_definition(tree, obj.__qualname__)):
        if any(_is_construct(module, imports, node) for node in _names(annotation)):
            yield f"{where} {ast.unparse(annotation)}"


def _definition(tree: ast.Module, name: str) -> ast.ClassDef | ast.FunctionDef:
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == name:
            return node
    msg = f"{name} is not defined at the top of its module"
    raise AssertionError(msg)


def _annotations(node: ast.stmt, prefix: str = "") -> Iterator[tuple[str, ast.expr]]:
    match node:
        case ast.ClassDef(name=name, body=body):
            for inner in body:
                yield from _annotations(inner, f"{prefix}{name}.")
        case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation) if not name.startswith("_"):
            yield f"{prefix}{name}:", annotation
        case ast.FunctionDef(name=name, args=arguments, returns=returns) if not re.match("_(?!_)", name):
            for argument in ast.walk(arguments):
                if isinstance(argument, ast.arg) and argument.annotation:
                    yield f"{prefix}{name}({argument.arg}):", argument.annotation
            if returns:
                yield f"{prefix}{name} ->", returns


def _names(annotation: ast.expr) -> Iterator[ast.Name]:
    for node in ast.walk(annotation):
        match node:
            case ast.Name():
                yield node
            case ast.Constant(value=str(quoted)):
                yield from _names(ast.parse(quoted, mode="eval").body)


def _imports(tree: ast.Module, module: ModuleType) -> dict[str, tuple[str, str]]:
    """Local name to (module, name in that module) for every import, those for the type checker included."""
    found: dict[str, tuple[str, str]] = {}
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                found |= {alias.asname or alias.name.partition(".")[0]: (alias.name, "") for alias in names}
            case ast.ImportFrom(module=source, names=names, level=level):
                absolute = importlib.util.resolve_name("." * level + (source or ""), module.__package__)
                found |= {alias.asname or alias.name: (absolute, alias.name) for alias in names}
    return found


def _is_construct(module: ModuleType, imports: dict[str, tuple[str, str]], node: ast.Name) -> bool:
    source, name = imports.get(node.id, (module.__name__, node.id))
    if source.partition(".")[0] in CONSTRUCT:
        return True
    if source.partition(".")[0] != "e320proto":
        return False
    # A name of ours may be a subclass of a construct type, or a construct object by another name.
    value = getattr(importlib.import_module(source), name, None)
    classes = value.__mro__ if inspect.isclass(value) else type(value).__mro__
    return any(cls.__module__.partition(".")[0] in CONSTRUCT for cls in classes)
