"""`build` on whatever JSON there is: a description, or InvalidInput in one line; nothing else, ever."""

import contextlib
import dataclasses
import json
import math
import sys

import jaxtyping
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from spikeloop import experiment
from spikeloop.component import Component, build, components, describe
from spikeloop.errors import InvalidInput
from spikeloop.learners import DQN, SoftTarget
from spikeloop.neurons import LeakyIntegrateAndFire

assert issubclass(experiment.Experiment, Component)  # so that everything is loaded

NAMES = sorted(name for name in components() if ":" not in name)
scalars = (
    st.none() | st.booleans() | st.integers() | st.just(10**400) | st.floats() | st.text(max_size=5)
    | st.sampled_from(["CartPole-v1", "os:system", "a\nb"])
)  # fmt: skip


def described(values):
    """Descriptions of the library's components, their fields filled with anything."""

    def fields(name):
        known = st.sampled_from(sorted(field.name for field in dataclasses.fields(components()[name])) or ["none"])
        return st.dictionaries(known, values, max_size=3).map(lambda found: {"type": name, **found})

    return st.sampled_from(NAMES).flatmap(fields)


anything = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        described(inner),
        st.dictionaries(st.text(max_size=5) | st.just("type"), inner, max_size=3),
        st.builds(
            lambda items: {"type": "dict", "items": items}, st.dictionaries(st.text(max_size=3), inner, max_size=2)
        ),
    ),
    max_leaves=8,
)


@contextlib.contextmanager
def as_users_have_it():
    """Without the tests' run-time type checks, which would hide what a user meets."""
    jaxtyping.config.update("jaxtyping_disable", True)
    try:
        yield
    finally:
        jaxtyping.config.update("jaxtyping_disable", False)


def outcome(data):
    """What `build` made, or its one-line message; any other exception passes through and fails the test."""
    with as_users_have_it():
        try:
            return build(data)
        except InvalidInput as error:
            message = str(error)
            assert message and "\n" not in message
            return message


@settings(max_examples=300)
@given(described(anything))
@example({"type": "IntegrateAndFire", "threshold": 10**400})
@example({"type": "DQN", "replay": 5})
@example({"type": "DQN", "policy": None})
@example({"type": "Box", "low": 3, "high": [1.0]})
@example({"type": "Gymnax", "name": {"type": "dict", "items": {}}})
@example({"type": "FeedForward", "widths": "ab"})
def test_a_component_with_any_fields(data):
    result = outcome(data)
    assert isinstance(result, (components()[data["type"]], str))


@settings(max_examples=200)
@given(anything)
@example([[[{"type": "no such thing"}]]])
@example({"type": ["DQN"]})
@example({"type": "AbstractExtremeMembrane"})
@example({"type": "AbstractBetweenDecisions"})
@example({"type": "Component"})
@example({"type": "float", "value": "1e999"})
def test_any_json(data):
    outcome(data)


@pytest.mark.parametrize("depth", [100, 400, 900])
@pytest.mark.parametrize("kind", ["list", "component"])
def test_deep_json(depth, kind):
    data = None
    for _ in range(depth):
        data = [data] if kind == "list" else {"type": "Detached", "reset": data}
    try:
        json.loads(json.dumps(data))
    except RecursionError:
        pytest.skip("not even Python's json reads it back")
    outcome(data)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"type": "LeakyIntegrateAndFire", "tua": 2.0}, "LeakyIntegrateAndFire has no field 'tua'"),
        ({"type": "Nothing"}, "unknown component 'Nothing'"),
        ({"tau": 2.0}, "unknown component None"),
        ({"type": "mine:Neuron"}, "import 'mine' first"),
        ({"type": "LeakyIntegrateAndFire", "tau": -1.0}, r"LeakyIntegrateAndFire\.tau must be"),
        ({"type": "SoftTarget", "rate": math.nan}, r"SoftTarget\.rate must be between 0 and 1, got nan"),
        ({"type": "SoftTarget", "rate": {"type": "float", "value": "inf"}}, r"SoftTarget\.rate must be"),
        ({"type": "Constant"}, "value"),
        ({"type": "AbstractMembrane"}, "unknown component"),
        ({"type": "AbstractBetweenDecisions"}, "unknown component"),
    ],
)
def test_mistakes_are_named(data, message):
    with as_users_have_it(), pytest.raises(InvalidInput, match=message):
        build(data)


@pytest.mark.parametrize(
    "data",
    [{"type": "SpikingPolicy", "network": 5}, {"type": "EpsilonGreedy", "epsilon": "x"}, {"type": "DQN", "loss": []}],
)
def test_a_field_must_hold_its_kind_of_component(data):
    """What `build` lets through must work: a number where a network belongs would fail later, and not in one line."""
    assert isinstance(outcome(data), str)


def test_building_never_imports():
    before = set(sys.modules)
    for name in ("antigravity:Flight", "this:Zen"):
        with pytest.raises(InvalidInput):
            build({"type": name})
        for world in ("Gymnasium", "Gymnax"):
            with pytest.raises(InvalidInput):
                build({"type": world, "name": name})
    assert not {"antigravity", "this"} & (set(sys.modules) - before)


@pytest.mark.parametrize("value", [math.inf, -math.inf, 1e-45, 0, True, None, "x", (1, (2.0, "y")), {"a": (1,)}])
def test_plain_values_come_back(value):
    assert build(json.loads(json.dumps(describe(value), allow_nan=False))) == value


def test_not_a_number_comes_back():
    assert math.isnan(build(json.loads(json.dumps(describe(math.nan), allow_nan=False))))


@pytest.mark.parametrize("value", [object(), [1], {1, 2}, b"x", lambda: 1])
def test_what_cannot_be_described_is_refused(value):
    with pytest.raises(InvalidInput, match="a description cannot hold"):
        describe(value)


def test_a_user_component_goes_by_its_module():
    class Mine(Component):
        size: int = 3

    name = f"{__name__}:Mine"
    assert describe(Mine()) == {"type": name, "size": 3}
    assert build({"type": name, "size": 4}) == Mine(4)


def test_with_fields():
    neuron = LeakyIntegrateAndFire(tau=2.0)
    assert neuron.with_fields(tau=5.0) == LeakyIntegrateAndFire(tau=5.0) and neuron.tau == 2.0
    with pytest.raises(InvalidInput, match="has no field 'tua'; it has tau, threshold, reset, surrogate"):
        neuron.with_fields(tua=5.0)
    with pytest.raises(InvalidInput, match="tau must be"):
        neuron.with_fields(tau=0.1)


def test_a_nested_description_comes_back_field_by_field():
    learner = DQN(target=SoftTarget(0.25), discount=0.5)
    data = describe(learner)
    assert data["target"] == {"type": "SoftTarget", "rate": 0.25}
    data["target"]["rate"] = 0.75
    assert build(data) == learner.with_fields(target=SoftTarget(0.75))
