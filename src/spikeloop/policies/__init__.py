"""Policies: from an observation to a decision."""

from spikeloop.policies._base import AbstractPolicy, Decision, Trace, TracedDecision
from spikeloop.policies.coagent import (
    AbstractWiring,
    CoagentParams,
    CoagentPolicy,
    Firing,
    LogProbabilities,
    ModulePerAction,
    SharedHidden,
)
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
    "AbstractWiring",
    "BlindPolicy",
    "CoagentParams",
    "CoagentPolicy",
    "Decision",
    "DeepPolicy",
    "EncodedDeepPolicy",
    "Firing",
    "KeepBetweenDecisions",
    "LogProbabilities",
    "ModulePerAction",
    "ResetBetweenDecisions",
    "SharedHidden",
    "SpikingParams",
    "SpikingPolicy",
    "SpikingState",
    "StandardisedParams",
    "StandardisedPolicy",
    "Trace",
    "TracedDecision",
]
