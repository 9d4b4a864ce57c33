"""Worlds to learn in; importing this package registers them with Gymnasium.

`gymnasium.make("neuroloop_envs:neuroloop/PoleBalance-v0")` does both. PyBullet itself loads when a
world that needs it is made.
"""

from gymnasium import register

register(
    id="neuroloop/PoleBalance-v0",
    entry_point="neuroloop_envs.pole_balance:PoleBalance",
    max_episode_steps=500,
    reward_threshold=475.0,
)
register(
    id="neuroloop/PoleBalanceHard-v0",
    entry_point="neuroloop_envs.pole_balance:PoleBalance",
    kwargs={"observation": "joints", "start": (1.0, 0.5, 0.17, 0.5)},
    max_episode_steps=500,
    reward_threshold=475.0,
)
register(
    id="neuroloop/LaneKeeping-v0",
    entry_point="neuroloop_envs.lane_keeping:LaneKeeping",
    max_episode_steps=1000,
)
register(
    id="neuroloop/TargetTracking-v0",
    entry_point="neuroloop_envs.target_tracking:TargetTracking",
    max_episode_steps=500,
)
register(
    id="neuroloop/ObstacleAvoidance-v0",
    entry_point="neuroloop_envs.obstacle_avoidance:ObstacleAvoidance",
    max_episode_steps=1000,
    reward_threshold=40.0,
)
register(id="neuroloop/ArmReaching-v0", entry_point="neuroloop_envs.arm_reaching:ArmReaching", max_episode_steps=600)
register(id="neuroloop/ArmTracking-v0", entry_point="neuroloop_envs.arm_tracking:ArmTracking", max_episode_steps=2000)
register(
    id="neuroloop/QuadrupedWalk-v0",
    entry_point="neuroloop_envs.quadruped_walk:QuadrupedWalk",
    max_episode_steps=1000,
)
register(id="neuroloop/TwoCues-v0", entry_point="neuroloop_envs.two_cues:TwoCues")
