"""What is kept on disk: arrays without pickle, JSON, and files that are written whole or not at all."""

from spikeloop.storage.arrays import load_arrays, read_header, save_arrays
from spikeloop.storage.files import read_json, write_atomically, write_json

__all__ = ["load_arrays", "read_header", "read_json", "save_arrays", "write_atomically", "write_json"]
