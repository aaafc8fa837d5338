"""Bing et al. 2019: a vehicle whose two spiking controllers learn by example, through reward-modulated plasticity."""

from spikeloop.papers.bing2019.vehicle import report_vehicle, vehicle

__all__ = ["report_vehicle", "vehicle"]
