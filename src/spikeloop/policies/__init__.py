"""Policies: from an observation to a decision."""

from spikeloop.policies._base import (
    AbstractPolicy,
    Activity,
    Decision,
    Trace,
    TracedDecision,
    Traffic,
    WatchedDecision,
)
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
from spikeloop.policies.place_and_action import (
    AbstractWeightStart,
    DrawnWeights,
    PlaceAndActionParams,
    PlaceAndActionPolicy,
    Propagated,
    ZeroWeights,
)
from spikeloop.policies.reflexes import AbstractReflex, NearOrFar, NearOrFarParams, TurnAway, TurnTowards
from spikeloop.policies.silencing import silenced
from spikeloop.policies.spiking import (
    AbstractBetweenDecisions,
    KeepBetweenDecisions,
    ResetBetweenDecisions,
    SpikingParams,
    SpikingPolicy,
    SpikingState,
)
from spikeloop.policies.standardised import StandardisedParams, StandardisedPolicy
from spikeloop.policies.wrapped import AbstractWrappedPolicy

__all__ = [
    "AbstractBetweenDecisions",
    "AbstractPolicy",
    "AbstractReflex",
    "AbstractWeightStart",
    "AbstractWiring",
    "AbstractWrappedPolicy",
    "Activity",
    "BlindPolicy",
    "CoagentParams",
    "CoagentPolicy",
    "Decision",
    "DeepPolicy",
    "DrawnWeights",
    "EncodedDeepPolicy",
    "Firing",
    "KeepBetweenDecisions",
    "LogProbabilities",
    "ModulePerAction",
    "NearOrFar",
    "NearOrFarParams",
    "PlaceAndActionParams",
    "PlaceAndActionPolicy",
    "Propagated",
    "ResetBetweenDecisions",
    "SharedHidden",
    "SpikingParams",
    "SpikingPolicy",
    "SpikingState",
    "StandardisedParams",
    "StandardisedPolicy",
    "Trace",
    "TracedDecision",
    "Traffic",
    "TurnAway",
    "TurnTowards",
    "WatchedDecision",
    "ZeroWeights",
    "silenced",
]
