"""Loads a checkpoint of ppo-chunked (architecture recurrent) into PyTorch.

python3 docs/load_checkpoint.py CHECKPOINT < observations.jsonl    prints what `ppo-chunked infer` prints: a line of logits and value each
"""
import json
import sys

import torch
from torch import nn


class ActorCritic(nn.Module):
    def __init__(self, observations, actions, hidden, projection, layers, input_norm, bounded):
        super().__init__()
        block = lambda: [nn.Linear(hidden, hidden), nn.LayerNorm(hidden), nn.ReLU()]
        first = nn.LayerNorm(observations) if input_norm else nn.Identity()
        self.feature_proj = nn.Sequential(first, nn.Linear(observations, projection), nn.GELU(), nn.Linear(projection, hidden))
        self.shared_mlp = nn.Sequential(*block())
        self.gru, self.gru_ln = nn.GRU(hidden, hidden, layers), nn.LayerNorm(hidden)
        self.actor_branch = nn.Sequential(*block(), *block())
        self.actor_head = nn.Sequential(nn.Linear(hidden, actions), *([nn.LayerNorm(actions), nn.Tanh()] if bounded else []))
        self.critic_branch = nn.Sequential(*block(), *block())
        self.critic_gru, self.critic_head = nn.GRU(hidden, hidden), nn.Linear(hidden, 1)

    def forward(self, observation, state):  # [D], (actor [layers, H], critic [1, H]) -> [A], [1], state
        core, actor = self.gru(self.shared_mlp(self.feature_proj(observation))[None], state[0])
        core = self.gru_ln(core)
        value, critic = self.critic_gru(self.critic_branch(core), state[1])
        return self.actor_head(self.actor_branch(core))[0], self.critic_head(value)[0], (actor, critic)


def load(path):
    tree = torch.load(path, map_location="cpu", weights_only=True)  # PyTorch 2.0 or newer: before, weights_only knew no floats
    tensors, config = tree["model_state_dict"], json.loads(tree["provenance"]["configuration"])
    (projection, observations), (hidden, _) = tensors["feature_proj.1.weight"].shape, tensors["feature_proj.3.weight"].shape
    options = (config["network"]["gru_layers"], "feature_proj.0.weight" in tensors, "actor_head.1.weight" in tensors)
    model = ActorCritic(observations, len(tensors["actor_head.0.weight"]), hidden, projection, *options)
    model.load_state_dict(tensors)
    seen, settings = tree["normalizer_state"]["observation"], config["observation"]
    deviation = (seen["m2"] / max(seen["count"] - 1, 1)).clamp(min=1e-6).sqrt()
    if seen["count"] < max(settings["min_count"], 1):
        deviation = deviation.clamp(min=1.0)
    normalise = lambda raw: ((raw - seen["mean"]) / deviation).clamp(-settings["clip"], settings["clip"])
    return model.double(), normalise if settings["normalize"] else lambda raw: raw


if __name__ == "__main__":
    model, normalise = load(sys.argv[1])
    fresh = lambda: (torch.zeros(model.gru.num_layers, model.gru.hidden_size).double(), torch.zeros(1, model.gru.hidden_size).double())
    state = fresh()
    for line in map(json.loads, sys.stdin):
        state = state if line.get("keep", 1) else fresh()
        with torch.no_grad():
            logits, value, state = model(normalise(torch.tensor(line["observation"]).double()), state)
        print(json.dumps({"logits": logits.tolist(), "value": value.item()}))
