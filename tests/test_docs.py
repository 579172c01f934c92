r"""Every fenced block of README.md and docs/*.md is run, so the documentation cannot go stale.

=================  =========================================================================
language           what is done
=================  =========================================================================
python             executed; with ``>>>`` as a doctest. The blocks of one file share a namespace
console, sh        each command is run, and has to print the lines below it (``...`` stands for
                   anything). Commands start with ``$ ``; in a block without any, every line is one
json, toml         parsed
text, mermaid      nothing to run
=================  =========================================================================

Commands that set up an environment (pip, git, the test command itself) are checked for syntax
only; ``.ci/run`` runs those of the README. All blocks of a file run in order in one temporary
folder, so a later block finds the files of an earlier one; asking for one block runs those before
it. Words may follow the language::

    ```console no-run=needs-a-serial-port
    ```console exit=2
    ```python extra=archive
    ```python file=script.py

``exit`` is the status expected of the block's last command; of all others it is 0. A block that
needs an ``extra`` is skipped where that is not installed. A ``file`` is written for a later command.
"""

from __future__ import annotations

import doctest
import importlib.util
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import textwrap
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(os.environ.get("E320PROTO_ROOT", Path(__file__).parent.parent)).absolute()
FILES = [path for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))] if path.is_file()]

needs_files = pytest.mark.skipif(not FILES, reason="no README.md and no docs beside the tests")

FENCE = re.compile(r"^(?P<indent>[ \t]*)(?P<fence>`{3,}|~{3,})[ \t]*(?P<info>[^`\n]*)$")
COMMAND_TIMEOUT_S = 60

# First words, and modules after ``python -m``, of commands that prepare a checkout or check it as a
# whole. Running them here would start this very test again, or install over what is being tested.
SETUP_COMMANDS = {"apt", "apt-get", "bash", "cd", "export", "git", "pip", "pipx", "pytest", "source", "uv"}
EXTRAS = {"archive": ("numba", "numpy", "pyarrow"), "dask": ("numba", "numpy", "pyarrow", "distributed")}
SETUP_MODULES = {"benchmarks", "build", "pip", "pytest", "venv"}


def _name(path: Path) -> str:
    return str(path).removeprefix(f"{ROOT}{os.sep}")


@dataclass(frozen=True)
class Block:
    """One fenced block: where it is, what it is, and its text."""

    path: Path
    line: int
    language: str
    words: dict[str, str]
    text: str
    closed: bool

    def __str__(self) -> str:
        return f"{_name(self.path)}:{self.line}-{self.language or 'plain'}"

    @property
    def obstacle(self) -> str | None:
        """Why it is not run, if it is not."""
        if "no-run" in self.words:
            return self.words["no-run"]
        missing = [name for name in EXTRAS.get(self.words.get("extra", ""), ()) if not importlib.util.find_spec(name)]
        return f"{', '.join(missing)} not installed" if missing else None


@dataclass(frozen=True)
class Command:
    """One command of a console block and the output that the documentation shows for it, if any."""

    text: str
    output: str | None

    @property
    def is_setup(self) -> bool:
        """Whether the command prepares or checks a whole checkout, see ``SETUP_COMMANDS``."""
        match shlex.split(self.text, comments=True):
            case []:
                return True
            case [python, "-m", module, *_] if re.fullmatch(r"python[0-9.]*", Path(python).name):
                return module in SETUP_MODULES
            case [first, *_]:
                return first == "." or Path(first).name in SETUP_COMMANDS
        return False


def blocks_of(path: Path) -> list[Block]:
    """The fenced blocks of a Markdown file, in order; also those inside of list items."""
    found: list[Block] = []
    start: re.Match[str] | None = None
    line, body = 0, list[str]()
    for number, text in enumerate([*path.read_text(encoding="utf-8").splitlines(), None], 1):
        if start is None:
            start, line, body = (FENCE.match(text) if text is not None else None), number, []
            continue
        closed = text is not None and re.fullmatch(rf"\s*{start['fence'][0]}{{{len(start['fence'])},}}\s*", text)
        if text is not None and not closed:
            body.append(text)
            continue
        language, *words = start["info"].split() or [""]
        pairs = {key: value for key, _, value in (word.partition("=") for word in words)}
        dedented = textwrap.dedent("\n".join(body)) + "\n"
        found.append(Block(path, line, language, pairs, dedented, closed=bool(closed)))
        start = None
    return found


def commands_of(text: str) -> list[Command]:
    """The commands of a console block; a backslash at the end of a line continues the command."""
    lines = text.replace("\\\n", "\\\0").splitlines()
    if not any(line.startswith("$ ") for line in lines):
        return [Command(line.replace("\0", "\n"), None) for line in lines if line.strip()]
    found: list[tuple[str, list[str]]] = []
    for line in lines:
        if line.startswith("$ "):
            found.append((line[2:].replace("\\\0> ", "\\\n").replace("\0", "\n"), []))
        elif found:
            found[-1][1].append(line)
        elif line.strip():
            msg = f"output before the first command: {line!r}"
            raise ValueError(msg)
    return [Command(command, "\n".join(output).strip("\n") or None) for command, output in found]


def _plain(text: str) -> str:
    """Text without the blanks at line ends that a table may leave."""
    return "\n".join(line.rstrip() for line in text.strip("\n").splitlines()) + "\n"


@dataclass
class Session:
    """The blocks of one file, run in order: one namespace, one folder."""

    path: Path
    folder: Path
    blocks: list[Block]
    done: int = 0
    module: ModuleType = field(init=False)

    def __post_init__(self) -> None:
        # Dataclasses look their module up by name, so the namespace is that of a module.
        self.module = ModuleType(f"documented_in_{self.path.stem.replace('-', '_')}")
        sys.modules[self.module.__name__] = self.module

    def run_up_to(self, block: Block) -> None:
        """Run ``block`` after those before it that have not run yet; each runs once."""
        for earlier in self.blocks[self.done : self.blocks.index(block)]:
            self.done += 1
            if earlier.obstacle is None:
                self.run(earlier)
        self.done = max(self.done, self.blocks.index(block) + 1)
        self.run(block)

    def run(self, block: Block) -> None:
        """Do with a block what its language asks for."""
        match block.language:
            case "python":
                self._python(block)
            case "console" | "sh" | "bash" | "shell":
                self._console(block)
            case "json":
                json.loads(block.text)
            case "toml":
                tomllib.loads(block.text)
            case "text" | "mermaid":
                pass
            case _:
                pytest.fail(
                    f"{block}: nothing checks a block of this language; name one of those in tests/test_docs.py"
                )

    def _python(self, block: Block) -> None:
        namespace = self.module.__dict__
        if "file" in block.words:
            code = compile(block.text, block.words["file"], "exec")
            (self.folder / code.co_filename).write_text(block.text, encoding="utf-8")
            return
        if ">>>" not in block.text:
            # Blank lines in front make a traceback show the line of the Markdown file.
            code = compile("\n" * block.line + block.text, str(block.path), "exec")
            exec(code, namespace)  # noqa: S102 - the documentation under test
            return
        test = doctest.DocTestParser().get_doctest(block.text, namespace, str(block), str(block.path), block.line)
        report: list[str] = []
        doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=report.append, clear_globs=False)
        namespace.update(test.globs)
        if report:
            pytest.fail("".join(report))

    def _console(self, block: Block) -> None:
        commands = commands_of(block.text)
        script = "\n".join(command.text for command in commands) + "\n"
        syntax = self._shell(["-n", "-c", script])
        assert syntax.returncode == 0, syntax.stdout
        for command in commands:
            if command.is_setup:
                continue
            expected = int(block.words.get("exit", "0")) if command is commands[-1] else 0
            # Without pipefail a pipeline would hide that its first command failed.
            done = self._shell(["-o", "pipefail", "-c", command.text])
            assert done.returncode == expected, f"$ {command.text}\n{done.stdout}"
            if command.output is not None:
                want, got = _plain(command.output), _plain(done.stdout)
                same = doctest.OutputChecker().check_output(want, got, doctest.ELLIPSIS)
                assert same, f"$ {command.text}\nexpected:\n{want}\nfound:\n{got}"

    def _shell(self, arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
        bash = shutil.which("bash")
        if bash is None:
            pytest.skip("no bash on this machine")
        environment = {
            **os.environ,
            "DASK_LOGGING__DISTRIBUTED": "critical",  # on a busy machine its workers complain that it ends
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
            "COLUMNS": "100",
            "NO_COLOR": "1",
            "TERM": "dumb",
            "PYTHONUTF8": "1",
        }
        return subprocess.run(  # noqa: S603 - commands of our own documentation
            [bash, *arguments],
            cwd=self.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            timeout=COMMAND_TIMEOUT_S,
            check=False,
        )


BLOCKS = {path: blocks_of(path) for path in FILES}


@pytest.fixture(scope="module")
def sessions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[Path, Session]]:
    made = {path: Session(path, tmp_path_factory.mktemp(path.stem), blocks) for path, blocks in BLOCKS.items()}
    yield made
    for session in made.values():
        del sys.modules[session.module.__name__]


@needs_files
@pytest.mark.parametrize("block", [block for blocks in BLOCKS.values() for block in blocks], ids=str)
def test_block(block: Block, sessions: dict[Path, Session], monkeypatch: pytest.MonkeyPatch) -> None:
    assert block.closed, "the fence is not closed"
    assert set(block.words) <= {"no-run", "exit", "extra", "file"}
    assert block.words.get("extra", "archive") in EXTRAS
    if (obstacle := block.obstacle) is not None:
        assert obstacle, "no-run needs a reason"
        pytest.skip(obstacle)
    session = sessions[block.path]
    monkeypatch.chdir(session.folder)
    session.run_up_to(block)


def _prose(path: Path) -> str:
    """A Markdown file without its code."""
    text = path.read_text(encoding="utf-8")
    return re.sub(r"^([ \t]*)(`{3,}|~{3,}).*?^\1\2\s*$", "", text, flags=re.MULTILINE | re.DOTALL)


def _anchors(path: Path) -> set[str]:
    """The names that the headings of a Markdown file can be linked by."""
    headings = re.findall(r"^#+\s+(.*?)\s*$", _prose(path), flags=re.MULTILINE)
    visible = [re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).lower() for heading in headings]
    return {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in visible}


def _broken_links(path: Path) -> list[str]:
    broken = []
    for link in re.findall(r"\]\(\s*<?([^)\s>]+)", _prose(path)):
        target, _, anchor = unquote(link).partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        file = path.parent / target if target else path
        if not file.exists() or (anchor and file.suffix == ".md" and anchor not in _anchors(file)):
            broken.append(link)
    return broken


@needs_files
@pytest.mark.parametrize("path", FILES, ids=_name)
def test_links_lead_somewhere(path: Path) -> None:
    assert _broken_links(path) == []


# The runner itself: a check that cannot fail would say nothing.


def _write(folder: Path, text: str) -> Session:
    path = folder / "page.md"
    path.write_text(textwrap.dedent(text), encoding="utf-8")
    return Session(path, folder, blocks_of(path))


def _run(session: Session) -> None:
    for block in session.blocks:
        session.run(block)


def test_blocks_are_found_with_their_lines(tmp_path: Path) -> None:
    page = "# Page\n\n```python\na = 1\n```\n\n1. Item\n\n   ~~~~console exit=2\n   $ b\n   ```\n   ~~~~\n\n```json\n{"
    path = tmp_path / "page.md"
    path.write_text(page, encoding="utf-8")
    found = [(block.line, block.language, block.words, block.text, block.closed) for block in blocks_of(path)]
    assert found == [
        (3, "python", {}, "a = 1\n", True),
        (9, "console", {"exit": "2"}, "$ b\n```\n", True),
        (14, "json", {}, "{\n", False),
    ]


def test_a_block_waits_for_its_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session = _write(tmp_path, "```python extra=archive\n1 / 0\n```\n```python\nb = 1\n```\n")
    monkeypatch.setitem(EXTRAS, "archive", ("json", "no_such_module"))
    assert session.blocks[0].obstacle == "no_such_module not installed"
    session.run_up_to(session.blocks[1])
    assert session.module.__dict__["b"] == 1
    monkeypatch.setitem(EXTRAS, "archive", ("json",))
    assert session.blocks[0].obstacle is None


def test_commands_and_their_output_are_told_apart() -> None:
    assert commands_of("$ a \\\n> --b\n1\n\n2\n$ c\n\n") == [Command("a \\\n--b", "1\n\n2"), Command("c", None)]
    assert commands_of("a \\\n  --b\n# why\nc\n") == [
        Command("a \\\n  --b", None),
        Command("# why", None),
        Command("c", None),
    ]


@pytest.mark.parametrize(
    ("text", "is_setup"),
    [
        ("pip install e320proto", True),
        ("python3.12 -m venv .venv", True),
        ("python -m pytest -q", True),
        (".venv/bin/python -m pip install e320proto", True),
        (". .venv/bin/activate", True),
        ("# a remark", True),
        ("python -m e320proto.cli --help", False),
        ("e320 decode capture.bin", False),
        ("cat capture.bin | e320 decode -", False),
    ],
)
def test_setup_commands_are_recognised(text: str, *, is_setup: bool) -> None:
    assert Command(text, None).is_setup is is_setup


@pytest.mark.parametrize(
    "page",
    [
        "```python\na = 1\n```\n```python\n>>> a\n1\n>>> b = a + 1\n```\n```python\nassert b == 2\n```\n",
        '```console\n$ python -c \'print("one"); print("two"); print(3)\'\none\n...\n3\n```\n',
        "```console exit=3\n$ python -c 'print(1)'\n1\n$ python -c 'raise SystemExit(3)'\n```\n",
        '```json\n{"a": 1}\n```\n```toml\na = 1\n```\n```text\nanything\n```\n',
        "```sh\npip install 'e320proto[cli]'\n```\n",
        "```python file=script.py\nprint(1)\n```\n```console\n$ python script.py\n1\n```\n",
    ],
)
def test_right_pages_pass(page: str, tmp_path: Path) -> None:
    _run(_write(tmp_path, page))


@pytest.mark.parametrize(
    ("page", "error"),
    [
        ("```python\nassert 1 == 2\n```\n", AssertionError),
        ("```python\n>>> 1\n2\n```\n", pytest.fail.Exception),
        ("```console\n$ python -c 'print(1)'\n2\n```\n", AssertionError),
        ("```console\n$ python -c 'raise SystemExit(1)'\n```\n", AssertionError),
        ("```console\n$ python -c 'raise SystemExit(1)' | cat\n```\n", AssertionError),
        ("```console\n$ no-such-command\n```\n", AssertionError),
        ("```sh\npip install 'e320proto\n```\n", (AssertionError, ValueError)),
        ("```json\n{'a': 1}\n```\n", json.JSONDecodeError),
        ("```toml\na = \n```\n", tomllib.TOMLDecodeError),
        ("```klingon\nqapla\n```\n", pytest.fail.Exception),
        ("```\nplain\n```\n", pytest.fail.Exception),
    ],
)
def test_wrong_pages_fail(page: str, error: type[Exception], tmp_path: Path) -> None:
    session = _write(tmp_path, page)
    with pytest.raises(error):
        _run(session)


def test_broken_links_are_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# A `page`, with a name\n[a](#a-page-with-a-name) [b](https://example.org/x) [c](page.md#a-page-with-a-name)\n"
        "[d](#no-such) [e](no-such.md)\n```text\n# code\n[f](not-a-link)\n```\n[g](#code)\n",
        encoding="utf-8",
    )
    assert _broken_links(page) == ["#no-such", "no-such.md", "#code"]
