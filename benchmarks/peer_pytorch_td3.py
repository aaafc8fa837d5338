"""The peer: TD3 with the actor of MDC-SAN in plain PyTorch (CPU), timed in milliseconds an update and an action.

Source of the settings: Zhang et al. 2022 and, for what they leave out, PopSAN (Tang et al. 2020), as in
spikeloop.papers.zhang2022. No public program of MDC-SAN's authors is known; the code is this project's own.

Actor     Population code (10 Gaussians a variable, trained) - 256 - 256 - 10 for each action, all dynamic neurons of second order
          with the rectangular surrogate of width 1 - a group decoder on firing rates - tanh. 5 ticks, from rest.
Critics   Two of 256 - 256 - 1 rectified linear units.
Learning  Batch 100, uniform; gamma 0.99; target noise 0.2 clipped at 0.5; policy delay 2; soft targets 0.005; Adam at 1e-4 (actor)
          and 1e-3 (critics). Observations are standardised and clipped at 3 when they are used.
Forms     plain: Algorithm 1 as it is printed, one forward of the network a tick, as PopSAN's public code does; Adam as it comes.
          ticks: the same, tuned: the first product once for all ticks, since its input does not change; the neuron in fewer
          operations, and the leak that cancels left out; nothing computed from zeros at rest; the fused Adam.
          layers: as ticks, but layer by layer, so that every matrix product is one over all ticks and the batch.
          All give the same to rounding. In all, the population code is computed once a decision, both critics share one
          optimiser, and no gradient is computed where none is used: targets, acting, the critic while the actor learns.

Reads parameters and transitions from the .npz file that bench_td3.py writes, so both begin with the same. First the check, in
float64: so many rounds of `policy_delay` updates on the first transitions as the batch, without target noise. Then the timing,
in float32.
Prints one line of JSON. Runs in the environment that benchmarks/setup_peer.sh makes.
"""

import argparse
import copy
import json
import time

import numpy
import torch

BATCH, GAMMA, DELAY, TAU = 100, 0.99, 2, 0.005
PARTS = 5  # of what is timed; the quickest counts
NOISE, NOISE_CLIP, EXPLORATION, LIMIT = 0.2, 0.5, 0.1, 3.0
TICKS, DECAY, THRESHOLD = 5, 0.5, 0.5
THETA_V, THETA_U, THETA_R, THETA_S = -0.172, 0.529, 0.021, 0.132
TRANSITION = ("obs", "action", "reward", "next_obs", "alive")


class Spike(torch.autograd.Function):
    """1 above the threshold, else 0; differentiates as a window of width 1 around it."""

    @staticmethod
    def forward(ctx, v):
        ctx.save_for_backward(v)
        return (v > THRESHOLD).to(v.dtype)

    @staticmethod
    def backward(ctx, gradient):
        (v,) = ctx.saved_tensors
        return gradient * ((v - THRESHOLD).abs() < 0.5)


class PlainNeurons:
    """A population of dynamic neurons on its way through a decision: Algorithm 1 of Zhang et al. as it is printed."""

    def __init__(self):
        self.current = self.v = self.u = self.spikes = 0.0

    def step(self, drive):
        self.current = DECAY * self.current + drive
        v = self.v * (1.0 - self.spikes) + THETA_R * self.spikes
        u = self.u + THETA_S * self.spikes
        self.v = v + (v**2 - v - u + self.current)
        self.u = u + (THETA_V * v - THETA_U * u)
        self.spikes = Spike.apply(self.v)
        return self.spikes


class Neurons:
    """The same in fewer operations. The leak cancels."""

    def __init__(self):
        self.current = None

    def step(self, drive):
        if self.current is None:  # at rest everything is zero, and what the drive alone makes of it is left
            self.current, self.after, self.u = drive, drive, None
        else:
            self.current = torch.add(drive, self.current, alpha=DECAY)
            v = self.after * (1.0 - self.spikes) + THETA_R * self.spikes
            u = THETA_S * self.spikes if self.u is None else torch.add(self.u, self.spikes, alpha=THETA_S)
            self.after = torch.addcmul(self.current - u, v, v)
            self.u = torch.add((1.0 - THETA_U) * u, v, alpha=THETA_V)
        self.spikes = Spike.apply(self.after)
        return self.spikes


class Actor(torch.nn.Module):
    """The actor, up to and with tanh."""

    def __init__(self, weights, form):
        super().__init__()
        self.mean = torch.nn.Parameter(weights["actor.mean"].clone())
        self.deviation = torch.nn.Parameter(weights["actor.deviation"].clone())
        self.layers = torch.nn.ModuleList(linear(weights, f"actor.{n}") for n in range(3))
        self.decoder = torch.nn.Parameter(weights["actor.decoder.weight"].clone())
        self.bias = torch.nn.Parameter(weights["actor.decoder.bias"].clone())
        self.run = {"plain": self.plainly, "ticks": self.by_tick, "layers": self.by_layer}[form]

    def forward(self, obs):
        variance = self.deviation.square().clamp(min=1e-4)
        code = torch.exp(-0.5 * (obs.unsqueeze(2) - self.mean).square() / variance).flatten(1)
        rates = self.run(code) / TICKS
        groups = rates.view(-1, *self.decoder.shape)
        return torch.tanh((groups * self.decoder).sum(2) + self.bias)

    def plainly(self, code):
        populations, fired = [PlainNeurons() for _ in self.layers], 0.0
        for _ in range(TICKS):
            spikes = code
            for population, layer in zip(populations, self.layers, strict=True):
                spikes = population.step(layer(spikes))
            fired = fired + spikes
        return fired

    def by_tick(self, code):
        drive = self.layers[0](code)
        populations, fired = [Neurons() for _ in self.layers], 0.0
        for _ in range(TICKS):
            spikes = populations[0].step(drive)
            for population, layer in zip(populations[1:], self.layers[1:], strict=True):
                spikes = population.step(layer(spikes))
            fired = fired + spikes
        return fired

    def by_layer(self, code):
        drives = [self.layers[0](code)] * TICKS
        for layer in (*self.layers[1:], None):
            population = Neurons()
            spikes = torch.stack([population.step(drive) for drive in drives])
            if layer is not None:
                drives = layer(spikes).unbind()
        return spikes.sum(0)


def linear(weights, name):
    """A layer with these weights, which the file holds as [inputs, outputs]."""
    layer = torch.nn.Linear(*weights[f"{name}.weight"].shape)
    with torch.no_grad():
        layer.weight.copy_(weights[f"{name}.weight"].T)
        layer.bias.copy_(weights[f"{name}.bias"])
    return layer


class Critic(torch.nn.Module):
    """The value of an observation and an action."""

    def __init__(self, weights, name):
        super().__init__()
        first, second, third = (linear(weights, f"{name}.{n}") for n in range(3))
        self.net = torch.nn.Sequential(first, torch.nn.ReLU(), second, torch.nn.ReLU(), third)

    def forward(self, inputs):
        return self.net(inputs).squeeze(1)


class TD3:
    """Actor, critics, their targets and optimisers."""

    def __init__(self, weights, form, noise=NOISE):
        self.noise = noise
        self.center, self.scale = weights["known.mean"], weights["known.scale"]
        self.actor = Actor(weights, form)
        self.critics = torch.nn.ModuleList([Critic(weights, "first"), Critic(weights, "second")])
        self.target_actor = Actor(weights, form)
        self.target_critics = copy.deepcopy(self.critics)
        fused = None if form == "plain" else True
        self.actor_optimizer = torch.optim.Adam(self.actor.parameters(), lr=1e-4, fused=fused)
        self.critic_optimizer = torch.optim.Adam(self.critics.parameters(), lr=1e-3, fused=fused)
        online = [*self.actor.parameters(), *self.critics.parameters()]
        target = [*self.target_actor.parameters(), *self.target_critics.parameters()]
        self.pairs = list(zip(target, online, strict=True))

    def standardise(self, obs):
        return ((obs - self.center) * self.scale).clamp(-LIMIT, LIMIT)

    @torch.no_grad()
    def act(self, obs, exploration=EXPLORATION):
        """The action on one observation, NumPy to NumPy."""
        action = self.actor(self.standardise(torch.from_numpy(obs).unsqueeze(0)))[0]
        if exploration:
            action = (action + exploration * torch.randn_like(action)).clamp(-1.0, 1.0)
        return action.numpy()

    def critic_update(self, batch):
        """The loss of both critics, and the standardised observations, which the actor's update needs again."""
        obs, action, reward, next_obs, alive = batch
        obs = self.standardise(obs)
        with torch.no_grad():
            next_obs = self.standardise(next_obs)
            next_action = self.target_actor(next_obs)
            noise = (self.noise * torch.randn_like(next_action)).clamp(-NOISE_CLIP, NOISE_CLIP)
            inputs = torch.cat([next_obs, (next_action + noise).clamp(-1.0, 1.0)], 1)
            goal = reward + GAMMA * alive * torch.minimum(*(critic(inputs) for critic in self.target_critics))
        inputs = torch.cat([obs, action], 1)
        loss = sum(torch.nn.functional.mse_loss(critic(inputs), goal) for critic in self.critics)
        self.critic_optimizer.zero_grad()
        loss.backward()
        self.critic_optimizer.step()
        return loss.detach(), obs

    def actor_update(self, obs):
        self.critics.requires_grad_(False)
        value = self.critics[0](torch.cat([obs, self.actor(obs)], 1)).mean()
        self.actor_optimizer.zero_grad()
        (-value).backward()
        self.actor_optimizer.step()
        self.critics.requires_grad_(True)
        return value.detach()

    @torch.no_grad()
    def target_update(self):
        for target, online in self.pairs:
            target.lerp_(online, TAU)

    def round(self, sample):
        """`policy_delay` updates of the critics, one of the actor and of the targets; the mean loss and the actor's objective."""
        losses = []
        for _ in range(DELAY):
            loss, obs = self.critic_update(sample())
            losses.append(loss)
        value = self.actor_update(obs)
        self.target_update()
        return sum(losses) / DELAY, value


def milliseconds(work, warm_up, times):
    """Of one call, after so many that are not timed: the shortest mean of so many, of `PARTS` times."""
    for _ in range(warm_up):
        work()
    means = []
    for _ in range(PARTS):
        started = time.perf_counter()
        for _ in range(times):
            work()
        means.append((time.perf_counter() - started) / times)
    return 1e3 * min(means)


def read(file, dtype):
    """Parameters by name, and the replay, in this type and with everything that is made from now on in it too."""
    torch.set_default_dtype(dtype)
    with numpy.load(file, allow_pickle=False) as arrays:
        weights = {name: torch.from_numpy(arrays[name]).to(dtype) for name in arrays.files}
    return weights, [weights[f"replay.{name}"] for name in TRANSITION]


def check(weights, replay, form, rounds):
    """What the updates find on one batch, without noise, and the action before and after them."""
    agent = TD3(weights, form, noise=0.0)
    obs = replay[0][0].numpy()
    before = agent.act(obs, exploration=0.0).tolist()
    found = [agent.round(lambda: [row[:BATCH] for row in replay]) for _ in range(rounds)]
    return {
        "critic_loss": [float(loss) for loss, _ in found],
        "value": [float(value) for _, value in found],
        "action": [before, agent.act(obs, exploration=0.0).tolist()],
    }


def main():
    """Check, then measure."""
    parser = argparse.ArgumentParser(description="Time TD3 with the actor of MDC-SAN in plain PyTorch.")
    parser.add_argument("file", help="parameters and transitions")
    parser.add_argument("--form", choices=["plain", "ticks", "layers"], default="layers")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--updates", type=int, default=200, help="timed updates of the critics")
    parser.add_argument("--actions", type=int, default=500, help="timed actions")
    parser.add_argument("--check-rounds", type=int, default=0, help="rounds of the check")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    report = {"check": check(*read(args.file, torch.float64), args.form, args.check_rounds)}
    weights, replay = read(args.file, torch.float32)
    agent, observations = TD3(weights, args.form), replay[0].numpy()

    def sample():
        chosen = torch.randint(len(replay[0]), (BATCH,))
        return [row[chosen] for row in replay]

    turn = iter(range(10**9))
    report["ms_per_update"] = milliseconds(lambda: agent.round(sample), 10, args.updates // (DELAY * PARTS)) / DELAY
    report["ms_per_action"] = milliseconds(lambda: agent.act(observations[next(turn)]), 50, args.actions // PARTS)
    matrix = torch.randn(1024, 1024)
    product = milliseconds(lambda: matrix @ matrix, 1, 2)
    report["operations_per_second_of_a_matrix_product"] = 2 * 1024**3 / (1e-3 * product)
    print(json.dumps({**report, "form": args.form, "threads": args.threads, "torch": torch.__version__}))


if __name__ == "__main__":
    main()
