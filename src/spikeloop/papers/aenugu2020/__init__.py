"""Aenugu 2020: every neuron a policy-gradient agent, beside reparameterised spikes that are trained end to end."""

from spikeloop.papers.aenugu2020.report import report, scores
from spikeloop.papers.aenugu2020.tasks import Task, experiments, neuron_agents, reparameterised

__all__ = ["Task", "experiments", "neuron_agents", "reparameterised", "report", "scores"]
