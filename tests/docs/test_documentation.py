"""The documentation is true: names are documented, snippets run, command lines parse, links resolve."""

import functools
import importlib.util
import re
import shlex
import types
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import jax
import pytest

from spikeloop.catalogue import built_in, entry
from spikeloop.cli import parser
from spikeloop.cli.commands import World
from spikeloop.cli.opening import load_file
from spikeloop.cli.overrides import override
from spikeloop.component import build, describe
from spikeloop.encoders import AbstractEncoder
from spikeloop.environments import AbstractEnvironment, Gymnax
from spikeloop.experiment import Experiment
from spikeloop.learners import AbstractLearner, FineTuning, RandomActions
from spikeloop.neurons import AbstractNeuron
from spikeloop.plasticity import AbstractPlasticity
from spikeloop.policies import DeepPolicy
from spikeloop.run import Run
from spikeloop.study import AbstractStudy, StudyRun
from spikeloop.training import Protocol
from tests.conformance import test_components as conformance

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [*sorted(DOCS.rglob("*.md")), *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md"))]
NAMES = {page: page.relative_to(ROOT).as_posix() for page in PAGES}

FENCE = re.compile(r"(?:^<!-- (?P<mark>[^\n]*?) -->\n)?^```(?P<language>\w*)[^\n]*\n(?P<text>.*?)^```$", re.M | re.S)
LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s]+)\)")


def _reference():
    spec = importlib.util.spec_from_file_location("generate_reference", DOCS / "generate_reference.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


reference = _reference()


class Block(NamedTuple):
    """A fenced block of a page."""

    page: Path
    line: int
    mark: str
    language: str
    text: str

    @property
    def file(self) -> str | None:
        """The file that it says it is."""
        return self.mark.partition(": ")[2] or None

    def __str__(self):
        return f"{NAMES[self.page]}:{self.line}"


@functools.cache
def blocks() -> list[Block]:
    """Every fenced block of every page."""
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for match in FENCE.finditer(text):
            line = text.count("\n", 0, match.start("language")) + 1
            found.append(Block(page, line, match["mark"] or "", match["language"], match["text"]))
    return found


PYTHON = [block for block in blocks() if block.language == "python"]
RUNNABLE = [block for block in PYTHON if block.mark.startswith("runnable")]
FILES = {block.file: block for block in RUNNABLE if block.file}


def command_lines() -> list[tuple[str, str]]:
    """Every line of a bash block that calls spikeloop, and where it stands."""
    lines = [(str(block), line) for block in blocks() if block.language == "bash" for line in block.text.splitlines()]
    return [(place, line.strip()) for place, line in lines if line.strip().startswith("spikeloop ")]


@pytest.fixture(
    scope="session"
)  # workers steal tests, so one may come back to this module, and a file has one module only
def load(tmp_path_factory) -> Callable[[str], types.ModuleType]:
    """Loads a snippet that is a file, as the command line would."""
    folder = tmp_path_factory.mktemp("files")

    @functools.cache
    def load_once(name: str) -> types.ModuleType:
        (folder / name).write_text(FILES[name].text, encoding="utf-8")
        return load_file(folder / name)

    return load_once


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """A folder in which runs/cartpole is a finished run, the quickest that there can be."""
    folder = tmp_path_factory.mktemp("docs")
    experiment = Experiment(
        environment=Gymnax("CartPole-v1", max_steps=10),
        learner=RandomActions(),
        protocol=Protocol(env_steps=1, evaluations=1, evaluation_episodes=1, final_episodes=1, records=1),
        seeds=1,
    )
    Run.create(folder / "runs" / "cartpole", experiment).carry_out()
    return folder


def test_every_public_name_has_a_docstring():
    assert reference.undocumented() == []


def test_a_missing_docstring_is_noticed():
    class Bare(NamedTuple):
        size: int

    assert not reference.has_docstring(Bare)
    assert not reference.has_docstring(lambda: None)
    assert not reference.has_docstring((1, 2))
    assert not reference.has_docstring(type("Heir", (Run,), {}))
    assert reference.has_docstring(Run) and reference.has_docstring(describe)


def test_every_public_name_is_in_the_reference():
    pages = reference.pages()
    for page in pages:
        text = reference.markdown(page)
        for name in page.names:
            assert text.count(f"::: {page.module.__name__}.{name}\n") == 1
    packages = {
        path.parent for path in (ROOT / "src" / "spikeloop").rglob("__init__.py") if "__all__" in path.read_text()
    }
    assert {Path(page.module.__file__).parent for page in pages if page.module.__file__} == packages


def test_the_reference_gives_each_field_its_meaning():
    fields = {field.name: field for field in reference.fields(Protocol)}
    assert fields["env_steps"].annotation == "int" and fields["env_steps"].default == "50000"
    assert fields["records"].comment.startswith("how many times")


@pytest.mark.parametrize("block", PYTHON, ids=str)
def test_snippet_compiles(block):
    compile(block.text, str(block), "exec")


@pytest.mark.parametrize("block", [block for block in RUNNABLE if not block.file], ids=str)
def test_snippet_runs(block, trained, monkeypatch):
    monkeypatch.chdir(trained)
    package = block.mark.partition(" with ")[2]
    if package:
        pytest.importorskip(package)
    exec(compile(block.text, str(block), "exec"), {"__name__": f"snippet_{block.line}"})


@pytest.mark.parametrize("name", FILES)
def test_snippet_that_is_a_file_defines_an_experiment_or_a_study(name, load, tmp_path):
    """A learner is traced, not trained: shapes and types of all of it are checked, in a fraction of the time."""
    experiment = load(name).experiment
    assert build(describe(experiment)) == experiment
    if isinstance(experiment, AbstractStudy):
        run = StudyRun.create(tmp_path / "study", experiment)
        run.carry_out()
        assert run.table()["markdown"] and run.figures()
        return
    assert isinstance(experiment, Experiment)
    world = experiment.environment
    for learner in experiment.arms.values():
        state = jax.eval_shape(lambda key, learner=learner: learner.init(world, key), jax.random.key(0))
        after, report = jax.eval_shape(
            lambda state, key, learner=learner: learner.step(world, state, key), state, jax.random.key(1)
        )
        assert jax.tree.structure(after) == jax.tree.structure(state)
        assert [(a.shape, a.dtype) for a in jax.tree.leaves(after)] == [
            (a.shape, a.dtype) for a in jax.tree.leaves(state)
        ]
        assert report.env_steps.shape == () and report.episodes.ended.ndim == 1


@pytest.mark.parametrize("name", FILES)
def test_component_in_a_snippet_keeps_its_contract(name, load):
    checks = {
        AbstractNeuron: conformance.test_neuron,
        AbstractEncoder: conformance.test_encoder,
        AbstractPlasticity: conformance.test_plasticity,
    }
    for cls in _own_components(load(name)):
        conformance.test_first_line_of_the_docstring_is_a_sentence(cls)
        conformance.test_nan_and_negative_counts_are_refused_in_one_line(cls)
        for base, check in checks.items():
            if issubclass(cls, base):
                check(cls)


def test_learner_in_a_snippet_climbs(load):
    learner = load("hill_climbing.py").HillClimbing(DeepPolicy(()), episodes=2)
    world = load("corridor.py").Corridor()

    def climb(key):
        init_key, key = jax.random.split(key)
        keys = jax.random.split(key, 8)
        return jax.lax.scan(lambda state, k: learner.step(world, state, k), learner.init(world, init_key), keys)[
            1
        ].metrics

    metrics = jax.jit(climb)(jax.random.key(0))
    assert (metrics["best_score"][1:] >= metrics["best_score"][:-1]).all()
    assert metrics["best_score"][-1] == metrics["score"].max()


def _own_components(module):
    kinds = (
        AbstractNeuron,
        AbstractEncoder,
        AbstractPlasticity,
        AbstractLearner,
        AbstractEnvironment,
        AbstractStudy,
    )
    own = [value for value in vars(module).values() if isinstance(value, type) and value.__module__ == module.__name__]
    found = [cls for cls in own if issubclass(cls, kinds)]
    assert found
    return found


@pytest.mark.parametrize(("place", "line"), command_lines(), ids=lambda text: text)
def test_command_line_parses(place, line, load):
    words = shlex.split(line, comments=True)[1:]
    wants_help = [word for word in words if word in ("-h", "--help", "--version")]
    words = [word for word in words if word not in wants_help]
    options, rest = parser().parse_known_args(words)
    assert wants_help or options.command is not None
    if options.command == "run" and options.experiment is not None:
        name = options.experiment
        experiment = load(name).experiment if name.endswith(".py") and name in FILES else _experiment(name)
        override(experiment, rest, "spikeloop run")
    elif options.command == "evaluate":
        override(World(built_in("cartpole").environment), rest, "spikeloop evaluate")
    else:
        assert rest == []
    if getattr(options, "file", None):
        assert options.file in FILES


def _experiment(name):
    if name.startswith("runs/"):  # goes on from the policy of that run
        return Experiment(learner=FineTuning())
    return Experiment() if name.endswith(".py") else entry(name).make()


@pytest.mark.parametrize("page", PAGES, ids=NAMES.get)
def test_links_resolve(page):
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    for match in LINK.finditer(text):
        target, _, anchor = match["target"].partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        goal = (page.parent / target).resolve() if target else page
        generated = {(DOCS / made.path).resolve(): made for made in reference.pages()}
        if goal in generated:
            content = reference.markdown(generated[goal])
            assert not anchor or f"::: {anchor}\n" in content, f"{match['target']} has no such name"
            continue
        assert goal.exists(), f"{match['target']} does not exist"
        if anchor:
            headings = re.findall(r"^#+ (.*)$", FENCE.sub("", goal.read_text(encoding="utf-8")), re.M)
            assert anchor in {_slug(heading) for heading in headings}, f"{match['target']} has no such heading"


def _slug(heading):
    return re.sub(r"[\s-]+", "-", re.sub(r"[^\w\s-]", "", heading).strip().lower())


def test_nothing_names_a_machine():
    for page in PAGES:
        assert not re.search(r"/(work|home|root|tmp|Users)/", page.read_text(encoding="utf-8")), page
