"""The parts of synapse-level learning: what a synapse knows, what it may do, what it is told, and how it learns."""

from spikeloop.learners.synapses.change import AbstractChange, Additive, Multiplicative
from spikeloop.learners.synapses.place import AbstractTopology, Places, PostLayer, PrePost, PrePostLayer, places
from spikeloop.learners.synapses.returns import AbstractReturn, Deed, Judged, MonteCarlo, SingleStep
from spikeloop.learners.synapses.reward import (
    AbstractReward,
    DeltaReward,
    LevelReward,
    PredictionErrorReward,
    SignReward,
)
from spikeloop.learners.synapses.rule import Rates, SynapsesState, SynapticRule
from spikeloop.learners.synapses.senses import (
    AbstractSense,
    Credit,
    FiringRates,
    Place,
    PreviousActions,
    PreviousRewards,
    SynapseState,
    View,
    Weight,
)
from spikeloop.learners.synapses.table_file import packaged_table, readable, static_table, table_json
from spikeloop.learners.synapses.turn import AbstractTurn, AllAtOnce, InTurn
from spikeloop.learners.synapses.value import AbstractValue, Experience, FollowCredit, StaticTable, Table
from spikeloop.learners.synapses.value_network import QNetwork

__all__ = [
    "AbstractChange",
    "AbstractReturn",
    "AbstractReward",
    "AbstractSense",
    "AbstractTopology",
    "AbstractTurn",
    "AbstractValue",
    "Additive",
    "AllAtOnce",
    "Credit",
    "Deed",
    "DeltaReward",
    "Experience",
    "FiringRates",
    "FollowCredit",
    "InTurn",
    "Judged",
    "LevelReward",
    "MonteCarlo",
    "Multiplicative",
    "Place",
    "Places",
    "PostLayer",
    "PrePost",
    "PrePostLayer",
    "PredictionErrorReward",
    "PreviousActions",
    "PreviousRewards",
    "QNetwork",
    "Rates",
    "SignReward",
    "SingleStep",
    "StaticTable",
    "SynapseState",
    "SynapsesState",
    "SynapticRule",
    "Table",
    "View",
    "Weight",
    "packaged_table",
    "places",
    "readable",
    "static_table",
    "table_json",
]
