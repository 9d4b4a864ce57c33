"""The contract of credit assignment: what a reward pays for.

1. `observation_t` is encoded and the network runs tick *t*; its output spikes are decoded to `action_t`.
2. Eligibility after tick *t* holds the spike pairings up to and including tick *t*.
3. The plant answers `action_t` with `reward_{t+1}`, `observation_{t+1}`, `terminated`, `truncated`. `reward_{t+1}` pays for
   tick *t* and what decays before it, never for spikes of tick *t+1*.
4. A TD learner runs tick *t+1* to read V(o_{t+1}) and then applies δ to the eligibility as it stood after tick *t*.
5. `terminated` bootstraps 0, `truncated` bootstraps V(o_{t+1}).
6. Traces and currents start anew with an episode, and membranes, unless `reset = "never"` says that they go on. Weights and
   statistics stay.

How the code keeps it: the controller hands `reward_{t+1}` to the control step of tick *t+1* (`Mode.ACT`), in which
`Phase.TEACH` computes δ and `Phase.CHANGE` changes the weights by δ × E_t *before* it lets E take in the pairings of tick
*t+1*. Actions of a tick are drawn from weights that know nothing of the tick's own reward. At an end, `finish` pays the
last reward: `Mode.TERMINATE` with V = 0, or one more `Mode.ACT`, whose action is not used, and `Mode.CLOSE`.
"""
