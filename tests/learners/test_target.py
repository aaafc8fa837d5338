"""Target networks: when they follow, and how far."""

import jax.numpy as jnp
import numpy as np
import pytest

from spikeloop.errors import InvalidInput
from spikeloop.learners import EpisodicTarget, HardTarget, Immediate, SoftTarget, TargetClock

OLD, NEW = {"w": jnp.asarray([0.0, 1.0])}, {"w": jnp.asarray([1.0, -1.0])}


def clock(updates=0, episodes=0, ended=False):
    return TargetClock(jnp.asarray(updates, jnp.int32), jnp.asarray(episodes, jnp.int32), jnp.asarray(ended))


def copied(target, now):
    """Whether the target was copied; it must be either copied or left alone."""
    after = np.asarray(target(OLD, NEW, now)["w"])
    assert (after == np.asarray(NEW["w"])).all() or (after == np.asarray(OLD["w"])).all()
    return bool((after == np.asarray(NEW["w"])).all())


def test_soft_target_covers_its_fraction_of_the_distance():
    np.testing.assert_allclose(np.asarray(SoftTarget(0.25)(OLD, NEW, clock())["w"]), [0.25, 0.5])
    np.testing.assert_array_equal(np.asarray(SoftTarget(0.0)(OLD, NEW, clock())["w"]), np.asarray(OLD["w"]))
    np.testing.assert_array_equal(np.asarray(SoftTarget(1.0)(OLD, NEW, clock())["w"]), np.asarray(NEW["w"]))


def test_soft_target_approaches_geometrically():
    target = OLD
    for _ in range(10):
        target = SoftTarget(0.25)(target, NEW, clock())
    distance = 0.75**10 * (np.asarray(OLD["w"]) - np.asarray(NEW["w"]))
    np.testing.assert_allclose(np.asarray(target["w"]) - np.asarray(NEW["w"]), distance, rtol=1e-4)


def test_hard_target_copies_at_every_so_many_updates():
    assert [n for n in range(1, 13) if copied(HardTarget(4), clock(updates=n))] == [4, 8, 12]
    assert all(copied(HardTarget(1), clock(updates=n)) for n in range(1, 5))


def test_episodic_target_copies_at_the_end_of_episodes_0_n_2n():
    """`episodes` counts the ended ones, so that the end of episode number k makes it k + 1."""
    ends = [k for k in range(13) if copied(EpisodicTarget(5), clock(episodes=k + 1, ended=True))]
    assert ends == [0, 5, 10]
    assert not any(copied(EpisodicTarget(5), clock(episodes=k, ended=False)) for k in range(13))


def test_immediate_is_always_the_online_parameters():
    assert all(copied(Immediate(), clock(updates=n)) for n in range(4))


@pytest.mark.parametrize("make", [lambda: SoftTarget(-0.1), lambda: SoftTarget(1.1), lambda: SoftTarget(float("nan"))])
def test_invalid_rate(make):
    with pytest.raises(InvalidInput, match=r"SoftTarget\.rate must be between 0 and 1"):
        make()


@pytest.mark.parametrize("cls", [HardTarget, EpisodicTarget])
def test_invalid_period(cls):
    with pytest.raises(InvalidInput, match="every must be a whole number"):
        cls(0)
