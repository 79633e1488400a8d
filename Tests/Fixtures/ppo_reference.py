"""Network, loss and optimizer of Sources/Neural and Sources/PPO, written in PyTorch in double precision. Read by TorchReferenceTests.

Usage: ppo_reference.py QUESTION.json    prints loss, gradient norm and gradients of the whole rollout, and parameters after three steps
"""
import json
import sys
import torch
import torch.nn.functional as F

q = json.load(open(sys.argv[1]))
n, c = q["sizes"], q["scalars"]
torch.set_default_dtype(torch.float64)
P = {name: torch.tensor(v).view(shape).requires_grad_() for name, shape, v in zip(q["names"], q["shapes"], q["parameters"])}
r = {k: torch.tensor(v) for k, v in q["rollout"].items()}
x, h, mask = r["x"].view(n["T"], n["D"]), r["h"].view(n["T"], n["S"]), r["mask"].view(n["T"], n["A"]) > 0
old_logits, ref_logits = r["logits"].view(n["T"], n["A"]), r["reference"].view(n["T"], n["A"])
T, action = r["T"][:, None], r["action"].long()[:, None]


def linear(x, name): return F.linear(x, P[name + ".weight"], P.get(name + ".bias"))
def norm(x, name): return F.layer_norm(x, x.shape[-1:], P[name + ".weight"], P[name + ".bias"])
def gru(x, h, name, l): return torch.gru_cell(x, h, *(P[f"{name}.{w}_l{l}"] for w in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")))
def block(x, name, i): return F.relu(norm(linear(x, f"{name}.{i}"), f"{name}.{i + 1}"))


def recurrent():
    H, L = n["H"], n["L"]
    z = block(linear(F.gelu(linear(x, "feature_proj.1")), "feature_proj.3"), "shared_mlp", 0)
    for l in range(L): z = gru(z, h[:, l * H:(l + 1) * H], "gru", l)
    z = norm(z, "gru_ln")
    actor, critic = (block(block(z, b, 0), b, 3) for b in ("actor_branch", "critic_branch"))
    return linear(actor, "actor_head.0"), linear(gru(critic, h[:, L * H:], "critic_gru", 0), "critic_head")[:, 0]


def set_encoder():
    A, b, m = n["A"], n["b"], mask[:, :, None]
    t = linear(x[:, :A * b].view(-1, A, b), "encoder.replica") + linear(x[:, A * b:], "encoder.cluster")[:, None]
    t = F.relu(norm(t, "encoder.norm"))
    for i in range(n["layers"] - 1): t = block(t, "encoder.layers", 3 * i)
    heads = lambda name: linear(t, "attention." + name).view(n["T"], A, -1, 16).transpose(1, 2)
    mixed = F.scaled_dot_product_attention(heads("query"), heads("key"), heads("value"), attn_mask=mask[:, None, None, :])
    t = norm(t + linear(mixed.transpose(1, 2).reshape(t.shape), "attention.output"), "attention.norm")
    pooled = torch.cat([(t * m).sum(1) / m.sum(1), t.masked_fill(~m, -torch.inf).max(1).values], 1)
    context = torch.cat([pooled, gru(pooled, h, "memory", 0)], 1)
    s = F.relu(norm(linear(t, "score.token") + linear(context, "score.context")[:, None], "score.norm"))
    return linear(s, "score.head")[:, :, 0], linear(block(context, "value", 0), "value_head")[:, 0]


def advantages():
    A, following = torch.zeros(n["T"]), 0.0
    for t in reversed(range(n["T"])):
        last = t == n["T"] - 1 or t == n["first"] - 1
        goes, cut = 1 - r["terminal"][t], r["cut"][t]
        after = r["next"][t] if last or cut else r["value"][t + 1]
        delta = r["reward"][t] + c["gamma"] * goes * after - r["value"][t]
        A[t] = following = delta + c["gamma"] * c["lambda"] * goes * (1 - cut) * (0.0 if last else following)
    return A


def log_p(logits, T): return F.log_softmax((logits / T).masked_fill(~mask, -torch.inf), 1)
def mean_of(p, v): return (p * v.masked_fill(~mask, 0)).sum(1)


A = advantages()
ret, A = A + r["value"], (A - A.mean()) / (A.std(correction=0) + 1e-8)
old = log_p(old_logits, T)
has = r["row"] >= 0
labels = torch.zeros(n["T"], n["A"])
labels[has] = r["labels"].view(-1, n["A"])[r["row"][has].long()]
centred = labels - mean_of(old.exp(), labels)[:, None]
labels = centred / (mean_of(old.exp(), centred ** 2)[has].mean().sqrt() + 1e-8)


def loss():
    logits, v = globals()[q["kind"]]()
    new = log_p(logits, T)
    p = new.exp()
    ratio = (new.gather(1, action)[:, 0] - r["logp"]).exp()
    sampled = torch.min(ratio * A, ratio.clamp(1 - c["clip"], 1 + c["clip"]) * A)
    policy = -torch.where(has, mean_of(p, labels), sampled)
    moved = r["value"] + (v - r["value"]).clamp(-c["clip_vf"], c["clip_vf"])
    value = 0.5 * torch.max((v - ret) ** 2, (moved - ret) ** 2)
    kl = mean_of(old.exp(), old - new)
    one, ref = log_p(logits, 1.0), log_p(ref_logits, 1.0)
    entropy = -mean_of(p, new)
    return (policy + c["value"] * value + c["kl"] * kl + c["reference"] * mean_of(one.exp(), one - ref)
            - c["entropy"] * entropy + c["hinge"] * (c["floor"] - entropy).clamp(min=0)).mean()


matrices = [p for p in P.values() if p.dim() == 2]
vectors = [p for p in P.values() if p.dim() == 1]
optimizer = torch.optim.AdamW([{"params": matrices, "weight_decay": c["decay"]}, {"params": vectors, "weight_decay": 0.0}],
                              lr=c["lr"], betas=(0.9, 0.999), eps=c["eps"])
result = {}
for step in range(3):
    optimizer.zero_grad()
    total = loss()
    total.backward()
    gradients = [p.grad.flatten().tolist() for p in P.values()]
    size = torch.nn.utils.clip_grad_norm_(list(P.values()), c["norm"])
    if step == 0: result = {"loss": total.item(), "norm": size.item(), "gradients": gradients}
    optimizer.step()
result["parameters"] = [p.flatten().tolist() for p in P.values()]
json.dump(result, sys.stdout)
