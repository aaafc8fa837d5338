"""The peer: DQSN training on CartPole with SpikingJelly 2.0 on PyTorch (CPU), timed in environment steps per second.

Source of the settings: Zheng 2026, Strategy B, and SpikingJelly's CartPole example (spiking DQN, state input). The
code is this project's own; only the settings are theirs.

Network   Linear(4, H) - IF (threshold 1, hard reset to 0, sigmoid surrogate of slope 4, reset not detached)
          - Linear(H, 2) - non-spiking LIF readout (tau 2, decayed input: v <- v + (x - v) / 2). The same observation
          is shown at each of T ticks; Q is the membrane after the last. State is reset after each decision and update.
Learning  Replay ring of 10 000, uniform; batch 128, one update per environment step once the ring holds 128;
          gamma 0.999; epsilon 0.05 + (0.9 - 0.05) exp(-n / 200); hard target copy every 10 episodes; Huber loss; every
          gradient value clamped to [-1, 1]; Adam at 1e-3. CartPole from gymnasium, without its step limit.
Modes     single: one forward of the network per tick, as the public example does.
          multi: SpikingJelly's multi-step mode, with the first Linear computed once for all ticks (its input does not
          change), the second as one product over ticks and batch, and the library's registered multi-step IF operator.
          Both modes give the same Q and the same gradients to float32 rounding.
Timing    Replay is preallocated tensors in both modes, so that the network is what is timed. `--warmup` full steps run
          untimed once the ring holds a batch; then `--steps` of them (act, environment step, store, update) are timed.

Prints one line of JSON. Runs in the environment that benchmarks/setup_peer.sh makes.
"""

import argparse
import importlib.metadata
import json
import logging
import math
import random
import time

import gymnasium
import torch
from spikingjelly.activation_based import functional, layer, neuron, surrogate

CAPACITY, BATCH, GAMMA = 10_000, 128, 0.999
EPSILON_START, EPSILON_END, EPSILON_STEPS = 0.9, 0.05, 200
TARGET_EPISODES, LEARNING_RATE = 10, 1e-3
OBSERVATION, ACTIONS = 4, 2


class Readout(neuron.SimpleLIFNode):
    """A LIF membrane that integrates and does not fire, one tick at a time."""

    def single_step_forward(self, x):
        self.neuronal_charge(x)
        return self.v


def hidden_neuron(step_mode):
    return neuron.IFNode(
        v_threshold=1.0, v_reset=0.0, surrogate_function=surrogate.Sigmoid(4.0), detach_reset=False, step_mode=step_mode
    )


class SingleStep(torch.nn.Module):
    """One forward of the network per tick."""

    def __init__(self, hidden, ticks):
        super().__init__()
        self.ticks = ticks
        self.net = torch.nn.Sequential(
            layer.Linear(OBSERVATION, hidden), hidden_neuron("s"), layer.Linear(hidden, ACTIONS), Readout(2.0, True)
        )

    def forward(self, x):
        for _ in range(self.ticks):
            q = self.net(x)
        return q


class MultiStep(torch.nn.Module):
    """All ticks at once, layer by layer."""

    def __init__(self, hidden, ticks):
        super().__init__()
        self.ticks = ticks
        self.input = layer.Linear(OBSERVATION, hidden)
        self.net = torch.nn.Sequential(
            hidden_neuron("m"),
            layer.Linear(hidden, ACTIONS, step_mode="m"),
            neuron.NonSpikingLIFNode(2.0, decode="last_mem"),
        )

    def forward(self, x):
        return self.net(self.input(x).expand(self.ticks, -1, -1))


class Replay:
    """A ring of transitions in preallocated tensors, sampled uniformly."""

    def __init__(self):
        self.observation = torch.zeros(CAPACITY, OBSERVATION)
        self.following = torch.zeros(CAPACITY, OBSERVATION)
        self.action = torch.zeros(CAPACITY, 1, dtype=torch.long)
        self.reward = torch.zeros(CAPACITY)
        self.alive = torch.zeros(CAPACITY)
        self.written = 0

    def store(self, observation, action, reward, following, terminated):
        at = self.written % CAPACITY
        self.observation[at] = observation
        self.following[at] = following
        self.action[at] = action
        self.reward[at] = reward
        self.alive[at] = 0.0 if terminated else 1.0
        self.written += 1

    def sample(self):
        pick = torch.tensor(random.sample(range(len(self)), BATCH))
        rows = (self.observation, self.action, self.reward, self.following, self.alive)
        return [row[pick] for row in rows]

    def __len__(self):
        return min(self.written, CAPACITY)


class Trainer:
    def __init__(self, mode, hidden, ticks, seed):
        random.seed(seed)
        torch.manual_seed(seed)
        network = {"single": SingleStep, "multi": MultiStep}[mode]
        self.policy, self.target = network(hidden, ticks), network(hidden, ticks)
        self.target.load_state_dict(self.policy.state_dict())
        self.optimizer = torch.optim.Adam(self.policy.parameters(), lr=LEARNING_RATE)
        self.replay = Replay()
        self.env = gymnasium.make("CartPole-v1").unwrapped
        self.observation = torch.from_numpy(self.env.reset(seed=seed)[0])
        self.acted, self.episodes = 0, 0

    def act(self):
        epsilon = EPSILON_END + (EPSILON_START - EPSILON_END) * math.exp(-self.acted / EPSILON_STEPS)
        self.acted += 1
        if random.random() <= epsilon:
            return random.randrange(ACTIONS)
        with torch.no_grad():
            action = self.policy(self.observation.unsqueeze(0)).argmax(1).item()
        functional.reset_net(self.policy)
        return action

    def step(self):
        """Act, step the environment, store, and update once the ring holds a batch."""
        action = self.act()
        following, reward, terminated, _, _ = self.env.step(action)
        following = torch.from_numpy(following)
        self.replay.store(self.observation, action, reward, following, terminated)
        self.observation = following
        if len(self.replay) >= BATCH:
            self.update()
        if terminated:
            self.observation = torch.from_numpy(self.env.reset()[0])
            self.episodes += 1
            if self.episodes % TARGET_EPISODES == 0:
                self.target.load_state_dict(self.policy.state_dict())

    def update(self):
        observation, action, reward, following, alive = self.replay.sample()
        with torch.no_grad():
            goal = reward + GAMMA * alive * self.target(following).max(1).values
        functional.reset_net(self.target)
        chosen = self.policy(observation).gather(1, action).squeeze(1)
        loss = torch.nn.functional.smooth_l1_loss(chosen, goal)
        self.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_value_(self.policy.parameters(), 1.0)
        self.optimizer.step()
        functional.reset_net(self.policy)


def main():
    parser = argparse.ArgumentParser(description="Time SpikingJelly's DQSN training on CartPole.")
    parser.add_argument("--hidden", type=int, default=64)
    parser.add_argument("--ticks", type=int, default=16)
    parser.add_argument("--steps", type=int, default=400, help="timed environment steps")
    parser.add_argument("--warmup", type=int, default=150, help="untimed full steps before them")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--mode", choices=["single", "multi"], default="multi")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    logging.disable(logging.WARNING)  # torch says, several times, that Triton (for GPUs) is absent
    torch.set_num_threads(args.threads)
    trainer = Trainer(args.mode, args.hidden, args.ticks, args.seed)
    for _ in range(BATCH - 1 + args.warmup):
        trainer.step()
    start = time.perf_counter()
    for _ in range(args.steps):
        trainer.step()
    seconds = time.perf_counter() - start
    report = {
        "env_steps_per_second": round(args.steps / seconds, 2),
        "mode": args.mode,
        "threads": args.threads,
        "steps": args.steps,
        "torch": torch.__version__,
        "spikingjelly": importlib.metadata.version("spikingjelly"),
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main()
