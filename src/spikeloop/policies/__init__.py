"""Policies: from an observation to a decision."""

from spikeloop.policies._base import AbstractPolicy, Decision, Trace, TracedDecision, WatchedDecision
from spikeloop.policies.deep import BlindPolicy, DeepPolicy
from spikeloop.policies.encoded import EncodedDeepPolicy
from spikeloop.policies.spiking import (
    AbstractBetweenDecisions,
    KeepBetweenDecisions,
    ResetBetweenDecisions,
    SpikingParams,
    SpikingPolicy,
    SpikingState,
)
from spikeloop.policies.standardised import StandardisedParams, StandardisedPolicy

__all__ = [
    "AbstractBetweenDecisions",
    "AbstractPolicy",
    "BlindPolicy",
    "Decision",
    "DeepPolicy",
    "EncodedDeepPolicy",
    "KeepBetweenDecisions",
    "ResetBetweenDecisions",
    "SpikingParams",
    "SpikingPolicy",
    "SpikingState",
    "StandardisedParams",
    "StandardisedPolicy",
    "Trace",
    "TracedDecision",
    "WatchedDecision",
]
