"""Trains the model: two processes, one core each, gradients averaged. See README.md."""
import argparse
import math
import os
import time

for _k in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[_k] = "1"          # two processes of one thread beat one of two, by a third

import numpy as np
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
import torch.nn.functional as F
from torch import nn

import data
import printed
import sentences
import tokenizer
from model import Config, Model

GRIDS = {"g2x2": (0.38, 8, 12), "g1x2": (0.19, 12, 8), "g2x1": (0.19, 12, 8), "g4x4": (0.05, 4, 3),
         "g3x4": (0.07, 4, 3), "g4x3": (0.05, 4, 3), "g2x4": (0.02, 4, 2), "g4x2": (0.02, 4, 2),
         "g1x4": (0.015, 6, 2), "g4x1": (0.015, 6, 2)}   # kind: share of the grid steps, pictures a process, shards
SINGLE, REUSE, WINDOW = 16, 5.0, 24                       # pictures a process, uses of a picture, shards in sight
DENSE = 24                                                # crowded pictures a process
TOGETHER = 4                                              # steps between two averagings of the processes' weights


class Heads(nn.Module):
    """Says what lies under every patch; only helps the encoder learn, and is thrown away."""
    def __init__(self, h):
        super().__init__()
        self.shape, self.colour, self.size = nn.Linear(h, 8), nn.Linear(h, 13), nn.Linear(h, 5)
        self.ground, self.look = nn.Linear(h, 12), nn.Linear(h, 3)
        self.place, self.kind = nn.Linear(h, 10), nn.Linear(h, 5)

    def loss(self, f, scenes, maps):
        shape, colour, size, place, ground, look, kind = [], [], [], [], [], [], []
        for (bg, objects, photo), m in zip(scenes, maps):
            shape.append(np.array([0] + [o[2] + 1 for o in objects])[m])
            colour.append(np.array([0] + [o[1] + 1 for o in objects])[m])
            size.append(np.array([0] + [o[0] + 1 for o in objects])[m])
            place.append(np.array([0] + [o[3] + 1 for o in objects])[m])
            kind.append(4 if not bg else ("plain", "textured", "fade").index(bg[0]) + (bg[0] == "fade" and bg[3] == "v"))
            ground.append(bg[1] if bg and bg[0] != "fade" else -100)
            look.append(0 if not photo else 1 + (photo[0] == "busy"))
        shape, colour, size, place = (torch.from_numpy(np.stack(a)).long().flatten() for a in (shape, colour, size, place))
        w = torch.where(shape > 0, 4.0, 1.0)
        total = 0
        for head, t in ((self.shape, shape), (self.colour, colour), (self.size, size), (self.place, place)):
            total = total + (F.cross_entropy(head(f).flatten(0, 1).float(), t, reduction="none") * w).sum() / w.sum()
        p = f.mean(1)
        ground = torch.tensor(ground)
        if (ground >= 0).any():
            total = total + 0.5 * F.cross_entropy(self.ground(p).float(), ground)
        total = total + 0.5 * F.cross_entropy(self.kind(p).float(), torch.tensor(kind))
        total = total + 0.3 * F.cross_entropy(self.look(p).float(), torch.tensor(look))
        with torch.no_grad():
            on = shape > 0
            hit = (self.shape(f).flatten(0, 1).argmax(-1) == shape)[on].float().mean()
            where = (self.place(f).flatten(0, 1).argmax(-1) == place)[on].float().mean()
            hue = (self.colour(f).flatten(0, 1).argmax(-1) == colour)[on].float().mean()
        return total, {"shape": float(hit), "hue": float(hue), "where": float(where)}


def to_tensor(frames):
    """uint8 [n, tile, tile, 3] to what the encoder takes: (x/255 - 0.5) / 0.5."""
    x = torch.from_numpy(np.ascontiguousarray(frames.transpose(0, 3, 1, 2))).float()
    return x.mul_(1 / 127.5).sub_(1)


def random_prompt(rng):
    r = rng.random()
    if r < 0.75:
        return sentences.DEFAULT_PROMPT
    if r < 0.92:
        return str(rng.choice(sentences.PROMPTS))
    word = "".join(rng.choice(list("abcdefghijklmnopqrstuvwxyz"), 40)).replace("q", " ").replace("z", " ")
    return word[:int(rng.integers(3, 25))].strip().capitalize() + str(rng.choice([".", "?", "", "!"]))


def answer_loss(model, tok, images, texts, rows, cols, prompt):
    """Cross entropy of the answers' tokens given [batch, embeddings, hidden] images, and how many answers are all right."""
    prefix = torch.tensor(tokenizer.prompt_ids(tok, rows, cols, model.c.tile_tokens, prompt))
    answers = [tok.encode(" " + t) + [tok.eos] for t in texts]
    order = sorted(range(len(answers)), key=lambda i: len(answers[i]))
    halves = [order[:len(order) // 2], order[len(order) // 2:]] if len(order) >= 16 else [order]
    at = (prefix < 0).nonzero()[:, 0]
    total, right, count = 0, 0, 0
    for idx in halves:
        n = max(len(answers[i]) for i in idx)
        ids = torch.full((len(idx), n), -100)
        for row, i in enumerate(idx):
            ids[row, :len(answers[i])] = torch.tensor(answers[i])
        x = model.text.embed(torch.cat((prefix.clamp(0).expand(len(idx), -1), ids[:, :-1].clamp(0)), 1))
        x = x.index_copy(1, at, images[idx].float())
        h = model.text(x)[:, len(prefix) - 1:]
        on = ids >= 0
        logits = model.text.logits(h[on]).float()
        total = total + F.cross_entropy(logits, ids[on], reduction="sum")
        count += int(on.sum())
        with torch.no_grad():
            wrong = torch.zeros(ids.shape, dtype=torch.bool)
            wrong[on] = logits.argmax(-1) != ids[on]
            right += int((~wrong.any(1)).sum())
    return total / count, right / len(texts)


def newest(kind, step, steps):
    """The last shard in sight at a step."""
    if kind in ("dense", "slim"):
        return min({"dense": 10, "slim": 5}[kind], max(4, step // 800 - 10))
    if kind == "single":
        return min(31, 15 + int(step * SINGLE * 2 / (REUSE * data.KINDS[kind][3])))
    return min(GRIDS[kind][2] - 1, int(step / steps * GRIDS[kind][2]))


def progress(folder):
    try:
        return int(open(os.path.join(folder, "step")).read())
    except (OSError, ValueError):
        return 0


def drawing(folder, seed, start, steps, part, parts):
    """Draws the shards in the order in which the training will want them."""
    seen, n = set(), 0
    for step in range(start, steps):
        while step > start + 1500 and step > progress(folder) + 1500:     # not too far ahead: the cores are needed
            time.sleep(2)
        for kind in ["single", "dense", "slim"] + list(GRIDS):
            s = newest(kind, step, steps)
            for shard in range(max(0, s - WINDOW), s + 1) if step == start else [s]:
                if (kind, shard) not in seen:
                    seen.add((kind, shard))
                    n += 1
                    if n % parts == part:
                        data.make(folder, kind, shard, seed)


def average(params, world):
    """Makes all processes go on from the mean of their weights."""
    with torch.no_grad():
        flat = torch.cat([p.flatten() for p in params])
        dist.all_reduce(flat)
        flat /= world
        o = 0
        for p in params:
            p.copy_(flat[o:o + p.numel()].view_as(p))
            o += p.numel()


def whiten(model, pool):
    """Starts the patch embedding as the main components of drawn patches, so that edges weigh about what colours do."""
    c = model.c
    frames = np.concatenate([pool.shard(0)[0][::12], pool.shard(1)[0][::12]])[:, 0]
    x = to_tensor(frames).view(-1, 3, c.side, c.patch, c.side, c.patch).permute(0, 2, 4, 1, 3, 5).reshape(-1, 3 * c.patch ** 2)
    mean = x.mean(0)
    value, vector = torch.linalg.eigh((x - mean).t() @ (x - mean) / len(x))
    value, vector = value.flip(0)[:c.v_hidden], vector.flip(1)[:, :c.v_hidden]
    scale = 0.4 / (value + value[30]).sqrt()           # about as large as the position embedding
    turn = torch.linalg.qr(torch.randn(c.v_hidden, c.v_hidden))[0]
    with torch.no_grad():
        model.vision.patch.weight.copy_(turn @ (vector * scale).t())
        model.vision.patch.bias.copy_(-model.vision.patch.weight @ mean)


def rate(step, a):
    if step >= a.steps:                                # the last stage: down again from a ninth
        return a.lr * (0.03 + 0.08 * (1 - (step - a.steps) / max(1, a.last)))
    if step < a.warmup:
        return a.lr * (step + 1) / a.warmup
    t = (step - a.warmup) / max(1, a.steps - a.warmup)
    return a.lr * (0.03 + 0.97 * 0.5 * (1 + math.cos(math.pi * min(1, t))))


def work(rank, a):
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{a.port}", rank=rank, world_size=a.world)
    torch.manual_seed(a.seed)
    tok = tokenizer.Tokenizer()
    c = Config(vocab=len(tok.tokens))
    model, heads = Model(c), Heads(c.v_hidden)
    params = list(model.parameters()) + list(heads.parameters())
    opt = torch.optim.AdamW([{"params": [p for p in params if p.dim() > 1], "weight_decay": 0.03},
                             {"params": [p for p in params if p.dim() <= 1], "weight_decay": 0.0}], lr=a.lr, betas=(0.9, 0.98))
    ema = [p.detach().clone() for p in model.parameters()]
    start = 0
    if a.resume:
        ck = torch.load(a.resume)
        model.load_state_dict(ck["model"])
        heads.load_state_dict(ck["heads"], strict=False)
        for old, new in zip(ck["opt"]["param_groups"], opt.param_groups):      # by order: heads may have been added
            for i, q in zip(old["params"], new["params"]):
                opt.state[q] = ck["opt"]["state"].get(i, {})
        for e, x in zip(ema, ck["ema"]):
            e.copy_(x)
        start = ck["step"]
    pools = {k: data.Pool(a.data, k, WINDOW) for k in ["single", "dense", "slim"] + list(GRIDS)}
    if not a.resume:
        whiten(model, pools["single"])
    half = torch.autocast("cpu", dtype=torch.bfloat16)          # products in bfloat16: a third of the time on newer CPUs
    t0, log = time.time(), {}
    for step in range(start, a.steps + a.last):
        both = np.random.default_rng([a.seed, step])            # the same in every process
        rng = np.random.default_rng([a.seed, step, rank + 1])
        kind = "single"
        if step >= a.alone and both.random() < a.grid_share:
            kind = str(both.choice(list(GRIDS), p=[g[0] for g in GRIDS.values()]))
        if both.random() < a.dense_share:
            kind = "dense" if both.random() < 0.5 else "slim"
        prompt = random_prompt(both)
        for g in opt.param_groups:
            g["lr"] = rate(step, a)
        count = {"single": SINGLE, "dense": DENSE, "slim": DENSE}.get(kind) or GRIDS[kind][1]
        frames, scenes, maps = pools[kind].sample(rng, newest(kind, step, a.steps), count,
                                             kind == "single" and step < a.easy and both.random() < 0.75)
        if step >= a.steps:                                     # a third of the pictures in the colours of print
            frames = np.stack([printed.printed(f) if rng.random() < 0.33 else f for f in frames])
        rows, cols = data.KINDS[kind][:2]
        per = rows * cols + 1
        whole = frames if frames.ndim == 4 and per == 1 else frames[:, -1]
        whole = whole.reshape(count, 128, 128, 3)
        still = kind not in ("dense", "slim") and a.alone <= step < a.alone + a.still             # the text model learns to read a fixed encoder
        with torch.set_grad_enabled(not still), half:
            f = model.vision.features(to_tensor(whole))
            loss, hits = heads.loss(f, scenes, maps)
        parts = {f"{k2}-{kind[:2]}": v for k2, v in {"aux": float(loss), **hits}.items()} if kind in ("single", "dense", "slim") else {}
        if step >= a.alone and kind not in ("dense", "slim"):
            with half:
                images = model.vision.connect(f)
            if per > 1:
                some = to_tensor(frames[:, :-1].reshape(-1, 128, 128, 3))
                with torch.set_grad_enabled(per <= 5 and not still), half:   # the encoder learns from the small grids only
                    fs = model.vision.features(some)
                with half:
                    ts = model.vision.connect(fs).view(count, -1, c.t_hidden)
                images = torch.cat((ts, images), 1)
            with half:
                l, right = answer_loss(model, tok, images, [sentences.sentence(s) for s in scenes], rows, cols,
                                       prompt)
            parts.update({"text-" + kind[:4]: float(l), "right-" + kind[:4]: right})
            loss = l if still else l + a.aux * loss
        opt.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(params, 1.0)
        opt.step()
        if (step + 1) % TOGETHER == 0:
            average(params, a.world)
            if rank == 0:
                with torch.no_grad():
                    k = min(0.994, (step + 1) / (step + 41))
                    for e, p in zip(ema, model.parameters()):
                        e.mul_(k).add_(p, alpha=1 - k)
        for k2, v in parts.items():
            log.setdefault(k2, []).append(v)
        if rank == 0 and (step + 1) % 100 == 0:
            with open(os.path.join(a.data, "step"), "w") as out:
                out.write(str(step + 1))
            print(f"{time.strftime('%H:%M:%S')} step {step + 1}/{a.steps + a.last} lr {rate(step, a):.2e} {(time.time() - t0) / 100:.2f} s/step "
                  + " ".join(f"{k2} {np.nanmean(v):.3f}" for k2, v in sorted(log.items())), flush=True)
            t0, log = time.time(), {}
        if rank == 0 and ((step + 1) % 400 == 0 or step + 1 == a.steps + a.last):
            torch.save({"model": model.state_dict(), "heads": heads.state_dict(), "opt": opt.state_dict(), "ema": ema,
                        "step": step + 1, "steps": a.steps, "config": c.dict(), "seed": a.seed}, a.out + ".tmp")
            os.rename(a.out + ".tmp", a.out)
    dist.barrier()


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--data", default="/tmp/photodesc-builtin")
    p.add_argument("--out", default="/tmp/photodesc-builtin/checkpoint.pt")
    p.add_argument("--seed", type=int, default=20)
    p.add_argument("--steps", type=int, default=20000)
    p.add_argument("--last", type=int, default=1200, help="steps after these, with colours as print has them")
    p.add_argument("--alone", type=int, default=7000, help="steps of the encoder alone, before the text model joins")
    p.add_argument("--still", type=int, default=1000, help="steps of the text model alone, after that")
    p.add_argument("--grid-share", type=float, default=0.35)
    p.add_argument("--dense-share", type=float, default=0.4, help="steps of the encoder with its heads on crowded pictures")
    p.add_argument("--aux", type=float, default=0.4)
    p.add_argument("--lr", type=float, default=1.3e-3)
    p.add_argument("--easy", type=int, default=4200, help="steps in which most single frames show one clear object")
    p.add_argument("--warmup", type=int, default=200)
    p.add_argument("--world", type=int, default=2)
    p.add_argument("--drawers", type=int, default=1)
    p.add_argument("--port", type=int, default=29517)
    p.add_argument("--resume")
    a = p.parse_args()
    os.makedirs(a.data, exist_ok=True)
    os.environ.setdefault("MALLOC_MMAP_THRESHOLD_", "4000000000")   # keep freed memory: page faults cost a third
    os.environ.setdefault("MALLOC_TRIM_THRESHOLD_", "16000000000")
    start = torch.load(a.resume)["step"] if a.resume else 0
    ctx = mp.get_context("spawn")
    draws = [ctx.Process(target=drawing, args=(a.data, a.seed, start, a.steps, i, a.drawers), daemon=True) for i in range(a.drawers)]
    for d in draws:
        d.start()
    mp.spawn(work, (a,), nprocs=a.world)


if __name__ == "__main__":
    main()
