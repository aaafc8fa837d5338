"""What a reader must know of each result that its numbers do not say."""

NOTES = {
    "deployed": "Ready-made policies beside their deep twins, the median seed of each: `spikeloop measure`, `export` and the NumPy "
    "player. The pictures are of `spikeloop inspect NAME` in headless Chromium and of `spikeloop compare --pareto` on all seeds. "
    "What other simulators make of exported graphs stands at the end of this page.",
    "aenugu2020-gridworld-neuron-agents": "The public code's network with its bugs put right (`published`), and the unbiased "
    "rule on the same network (`coagent`), nothing tuned. The best policy's expected discounted return is 1.121.",
    "cartpole": "Greedy final policies, 100 fresh episodes per seed. The demo's experiment. Rate and returns of either "
    "network are the best of the same nine settings (`cartpole-tuning`, seeds 100 to 109); what else is in the recipe was found "
    "before, on seeds 100 to 107, mostly with the spiking network.",
    "cartpole-ablation": "The spiking learner of `cartpole` without one ingredient at a time.",
    "acrobot": "The same learners, only the budget and the scale of the observations changed. Returns are negative: minus "
    "the steps to the goal.",
    "mountain-car": "The same learners. -200 is the worst return there is: the goal was never reached.",
    "cartpole-tuning": "Nine settings for each of the two, on seeds 100 to 109, judged without the time limit, where there is "
    "something left to tell them apart.",
    "synapses-cartpole": "Greedy final policies, 100 fresh episodes per seed. The learner `synapses` uses the table of "
    "`synapses-table`. Its settings were found on seeds 100 to 119 of this task; hill climbing stands there with the better two "
    "of six settings tried on the same network. The figure of weights is one seed, in a run of its own. "
    "`spiking-dqn` is the recipe of `cartpole` with this small network, not tuned "
    "for it.",
    "synapses-acrobot": "The same learner and the same table, nothing changed but the scale of the observations.",
    "synapses-mountain-car": "The same learner and the same table, nothing changed but the scale of the observations.",
    "synapses-table": "What synapses learn about themselves from nothing, 40 runs on seeds of their own: the value of each action "
    "by credit, and the table that the runs agree on, which the library ships.",
    "synapses-ledger": "Everything tried on the way, on CartPole-v1 at 100,000 environment steps: from the paper's learner "
    "(`zheng-...`) to ours, and ours with one thing changed. `synapses` is ours as it stands.",
    "zheng2026-table-2": "Strategy A, every cell beside its nulls. Frames of training episodes, time limit off (cap 10,000).",
    "zheng2026-figure-2": "Strategy A, 16 neurons, M1, by the step alpha.",
    "zheng2026-figure-3": "Strategy A, 16 neurons, M1, by ticks per decision.",
    "zheng2026-readings": "Strategy A, 8 neurons, M5: what the paper leaves open, one reading at a time.",
    "bhargava2022-linear": "The linear toy: a perceptron whose every weight is an agent. Measured by an older command; today it is "
    "`spikeloop run bhargava2022/linear`.",
    "chevtchenko2021-maze": "Training episodes, all of which explore; `final policy` is 100 fresh episodes of each seed. "
    "Deep Q-learning has one setting, not tuned, tried on seeds 100 to 104.",
    "chevtchenko2021-maze-pictures": "The same learner and seeds; codes are what the pre-trained binary network makes of synthetic "
    "pictures. Without the controls, which stand in the table above.",
    "chevtchenko2021-maze-one-epoch": "The same with a network that was pre-trained for one epoch only and tells 1 of its 100 "
    "pictures apart: `python results/binary_network.py --epochs 1 --out one-epoch.safetensors`.",
    "chevtchenko2021-ablations": "The same learner with one part changed at a time.",
    "zhang2022-dynamics": "Figure 2: one dynamic neuron and one of PopSAN, without a network and without training.",
    "labady2023-dc-drive": "Two of NEST's neurons: a direct current into the first, a synapse from it to the second.",
    "labady2023-stdp": "One synapse for a second: STDP at spikes, and the formula of the report at every tick.",
    "labady2023-mountain-car": "Figure 12 with Gym's limit of 200 steps.",
    "labady2023-mountain-car-replicate": "The same on 100 other seeds, 60 generations, decided on before it was run.",
    "labady2023-mountain-car-109": "The same with the 109 steps of Learning to Learn.",
    "labady2023-optimisers": "The same network, task and number of episodes, other optimisers. Their settings were found on seeds "
    "100 to 105 and 200 to 211. The fitness of SNES counts the steps that are left at the goal, so it can be above 0.5; that of "
    "the filter is the position alone, with which it did better.",
    "labady2023-heatmaps": "Figures 13 to 15.",
    "labady2023-recording": "Figure 16: the seed of median return.",
    "evolution-cartpole": "Greedy final policies, 100 fresh episodes per seed. Settings of the strategies were found on seeds 100 "
    "to 107 of this task, on the spiking network.",
    "evolution-mountain-car": "The same settings, but the scale of the observations; fitness is the largest position.",
    "evolution-acrobot": "The same settings, nothing changed but the scale of the observations.",
    "evolution-pendulum": "The same settings with continuous actions and three times the steps.",
    "local-cartpole": "A purely local rule: no gradient through the network, no replay. The policies that are evaluated keep the "
    "noise of their neurons. Recipe and grids of place cells were found on seeds 100 to 107 of the three tasks. "
    "`random-weights` is the spiking network of `cartpole`.",
    "local-mountain-car": "The same recipe; the task's own reward, -1 a step.",
    "local-acrobot": "The same recipe, with four times the spikes of place cells.",
    "local-ledger": "One part of the recipe changed at a time. Those without centring or with STDP have bounds, without which "
    "their weights grow for ever. `r-stdp` is what most libraries call so: STDP, eligibility, plain reward.",
    "zhang2022-pendulum": "TD3 for 30,000 steps, the papers' settings but for 1000 random steps at first. Returns are negative: "
    "the sum of costs over 200 steps; about -150 is the best that is known.",
    "zhang2022-codings-pendulum": "Figure 5 on Pendulum, with either neuron: 10 seeds on one GPU, each arm a process of its own "
    "(`spikeloop resume RUN --arm NAME`), five at a time.",
    "zhang2022-codings-hopper": "Figure 5 on Hopper, with either neuron. Asked for 80,000 steps; the machine was had for so long "
    "only, so what counts is the last evaluation that every arm reached, of 5 fresh episodes a seed. Eight arms at a time on "
    "one GPU.",
    "hasegan2022-evol": "EVOL as published, 1600 iterations of 10 candidates with 5 episodes, but one network instead of 10 and "
    "without the controls. Begun on one core, gone on with on two.",
    "hasegan2022-rounds": "The numbers of each stage by themselves, 20,000 actions, beside the null baselines. Stopped and gone on "
    "with once.",
    "hasegan2022-stdp-rl": "STDP-RL as published: all stages, 500,000 actions. The largest mean of 100 training episodes is 114 on "
    "average over networks (97 to 132); published: 116 (75 to 157). Returns of 8 of 10 networks at the end are above 75.",
    "local-cartpole-long": "Five times the steps, so at least 500 episodes of every seed: nothing that was learned is lost again.",
    "bing2019-vehicle": "Settings were found on seeds 100 to 103.",
    "zhang2022-prelearn": "Figure 6, on Hopper with a tenth of the steps and 3 seeds: training moved the parameters little, and "
    "their centre is where it began; the published constants were not found again.",
    "zhang2022-table-1": "Table 1 as far as it was run: 300,000 steps and 3 seeds instead of a million and 10.",
    "zheng2026-figure-9": "Frames of training episodes under epsilon-greedy, 200 episodes, time limit off (cap 10,000).",
    "zheng2026-if-64-100-seeds": "The 64 IF neurons of Figure 9 with five times the seeds.",
    "zheng2026-if-64-replicate": "The same on 100 other seeds, decided on before it was run.",
    "zheng2026-ticks": "As above, 64 IF neurons, by ticks per decision.",
}
