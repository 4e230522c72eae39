"""Measures a checkpoint on drawn pictures it has never seen, by attribute."""
import argparse
import re

import numpy as np
import torch

import data
import describe
import draw
import export
import sentences
import tokenizer
from colours import NAMES

THING = re.compile(r"\ba (tiny|small|medium|large) (\w+) (\w+) (" + "|".join(sorted(sentences.PLACES, key=len, reverse=True)) + ")", re.I)


def read(text):
    """The objects of a sentence, as (size, colour, shape, place) words."""
    return THING.findall(text)


def held_out(kind, count, want, seed=990001):
    """Pictures of one kind from a stream of numbers the training never used."""
    rng = np.random.default_rng([seed, len(kind), sum(map(ord, kind))])
    frames, scenes = [], []
    while len(frames) < count:
        f, s, _ = data.picture(rng, kind)
        if want(s):
            frames.append(f)
            scenes.append(s)
    return np.stack(frames), scenes


@torch.no_grad()
def answers(model, tok, frames, rows, cols):
    ids = tokenizer.prompt_ids(tok, rows, cols, model.c.tile_tokens)
    out = []
    for i in range(0, len(frames), 32):
        x = frames[i:i + 32]
        b = len(x)
        flat = x.reshape(-1, *x.shape[-3:])
        e = torch.cat([model.vision(describe.pixels(list(flat[j:j + 64]))) for j in range(0, len(flat), 64)])
        toks, _, _ = describe.greedy(model, tok, ids, e.view(b, -1, model.c.t_hidden))
        out += [tok.decode(t).strip() for t in toks]
    return out


def score(model, tok, kind, count, want, label, show=0):
    frames, scenes = held_out(kind, count, want)
    rows, cols = data.KINDS[kind][:2]
    said = answers(model, tok, frames, rows, cols)
    truth = [sentences.sentence(s) for s in scenes]
    n = dict(whole=0, objects=0, number=0, colour=0, shape=0, place=0, size=0, meaning=0, ground=0)
    objects = 0
    for s, t in zip(said, truth):
        n["whole"] += s == t
        a, b = read(s), read(t)
        n["number"] += len(a) == len(b)
        n["ground"] += s.split(", on ")[-1].split(" of a")[-1] == t.split(", on ")[-1].split(" of a")[-1]
        objects += len(b)
        for x, y in zip(a, b):
            for i, k in enumerate(("size", "colour", "shape", "place")):
                n[k] += x[i] == y[i]
            n["meaning"] += x[1:] == y[1:]
    m = max(objects, 1)
    line = f"{label:34s} {len(said):4d} pictures: sentence {n['whole'] / len(said):.3f} background {n['ground'] / len(said):.3f}"
    if objects:
        line += (f" number {n['number'] / len(said):.3f}; objects: colour {n['colour'] / m:.3f} shape {n['shape'] / m:.3f}"
                 f" place {n['place'] / m:.3f} size {n['size'] / m:.3f} colour+shape+place {n['meaning'] / m:.3f}")
    print(line, flush=True)
    wrong = [(s, t) for s, t in zip(said, truth) if s != t]
    for s, t in wrong[:show]:
        print("   said", s, "\n   true", t)


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--checkpoint", default="/tmp/photodesc-builtin/checkpoint.pt")
    p.add_argument("--count", type=int, default=400)
    p.add_argument("--show", type=int, default=0, help="wrong answers to show for each kind")
    p.add_argument("--grids", default="g2x2,g1x2,g2x1,g3x4,g4x3,g4x4")
    a = p.parse_args()
    model, step = export.load(a.checkpoint)
    tok = tokenizer.Tokenizer()
    print("checkpoint at step", step)
    one = lambda s: len(s[1]) == 1 and s[1][0][0] != draw.TINY
    tiny = lambda s: len(s[1]) == 1 and s[1][0][0] == draw.TINY
    many = lambda s: len(s[1]) > 1 and all(o[0] != draw.TINY for o in s[1])
    score(model, tok, "single", a.count, one, "one frame, one object", a.show)
    score(model, tok, "single", a.count, many, "one frame, two or three objects", a.show)
    score(model, tok, "single", a.count // 2, tiny, "one frame, a tiny spot", a.show)
    score(model, tok, "single", a.count // 2, lambda s: s[2], "one frame, like a photo", a.show)
    score(model, tok, "single", a.count // 4, lambda s: not s[2] and not s[1], "one frame, empty", a.show)
    for k in [g for g in a.grids.split(",") if g]:
        n = a.count // 2 if k == "g2x2" else a.count // 4
        score(model, tok, k, n, one, f"grid {k[1:]}, one object", a.show)
        score(model, tok, k, n, tiny, f"grid {k[1:]}, one tiny object", a.show)
        if k == "g2x2":
            score(model, tok, k, n, many, f"grid {k[1:]}, two or three objects", a.show)
            score(model, tok, k, n, lambda s: s[2], f"grid {k[1:]}, like a photo", a.show)


if __name__ == "__main__":
    main()
