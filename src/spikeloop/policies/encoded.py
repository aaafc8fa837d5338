"""A deep network between the encoder and the decoder of a spiking one: what population coding does by itself.

    x = encoder(s);   x <- relu(x W + b) for each layer;   output = decoder(x)

Pop-DAN of Zhang et al. 2022 is this with a population code and the grouped readout of populations, which reads units in the place
of firing rates. They give it the same number of parameters as MDC-SAN, so the output population is a layer of units here too.
"""

import jax

from spikeloop.component import require_counts
from spikeloop.decoders import AbstractDecoder, LinearRate
from spikeloop.encoders import AbstractEncoder, Direct
from spikeloop.errors import InvalidInput
from spikeloop.networks import Linear
from spikeloop.policies._base import Activity, Decision, Traffic
from spikeloop.policies.deep import AbstractTimelessPolicy, layered_traffic
from spikeloop.policies.spiking import SpikingParams


class EncodedDeepPolicy(AbstractTimelessPolicy):
    """Rectified linear units between an encoder and a decoder of spiking policies, as if a decision had one tick (Pop-DAN)."""

    encoder: AbstractEncoder = Direct()  # observation to input; the same at every tick
    widths: tuple[int, ...] = (256, 256)  # units of each hidden layer
    decoder: AbstractDecoder = LinearRate()  # units to output

    def __check_init__(self):
        require_counts(self, "widths")
        if not self.encoder.constant:
            raise InvalidInput("EncodedDeepPolicy.encoder must give the same input at every tick; there is one only")

    def init(self, obs_size, out_size, key):
        encoder_key, network_key, decoder_key = jax.random.split(key, 3)
        population = self.decoder.population(out_size)
        sizes = (self.encoder.size(obs_size), *self.widths, *(() if population is None else (population,)))
        keys = jax.random.split(network_key, len(sizes) - 1)
        return SpikingParams(
            encoder=self.encoder.init(obs_size, encoder_key),
            network=tuple(Linear.init(n, m, k) for n, m, k in zip(sizes[:-1], sizes[1:], keys, strict=True)),
            decoder=self.decoder.init(sizes[-1], out_size, decoder_key),
        )

    def __call__(self, params, state, obs, key):
        return state, self._decide(params, self._units(params, obs))

    def activity(self, params, state, obs, key):
        units = self._units(params, obs)
        traffic, readout = layered_traffic(params.network, units[:-1]), self.decoder.synapses(params.decoder)
        if readout is not None:
            traffic = (*traffic, Traffic(readout, units[-1][None], "readout"))
        return state, Activity(self._decide(params, units), traffic, tuple(x[None] for x in units[1:]))

    def _units(self, params, obs):
        """The input, and the units of every layer."""
        encoder_state = self.encoder.init_state(params.encoder)
        units = [self.encoder.step(params.encoder, encoder_state, obs.ravel(), None)[1]]
        for layer in params.network:
            units.append(jax.nn.relu(layer(units[-1])))
        return units

    def _decide(self, params, units):
        last = units[-1]
        heard = self.decoder.step(params.decoder, self.decoder.init_state(params.decoder, last.shape[0]), last)
        return Decision(self.decoder.read(params.decoder, heard, 1), ())
