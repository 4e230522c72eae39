"""The whole way of one picture in the reference: tiles, prompt, embeddings, greedy text."""
import numpy as np
import torch

import preprocess
import sentences
import tokenizer


def pixels(frames):
    """Frames to [n, 3, tile, tile] floats: x/255, then (x - 0.5) / 0.5."""
    x = np.stack([np.asarray(f, np.float32) for f in frames]) / np.float32(255)
    return torch.from_numpy(((x - np.float32(0.5)) / np.float32(0.5)).transpose(0, 3, 1, 2).copy())


@torch.no_grad()
def embed(model, ids, images):
    """Input vectors [batch, tokens, hidden] of a prompt; images [batch, embeddings, hidden]."""
    ids = torch.tensor(ids)
    x = model.text.embed(ids.clamp(0)).expand(len(images), -1, -1).clone()
    x[:, ids < 0] = images
    return x


@torch.no_grad()
def greedy(model, tok, ids, images, most=64, keep=0):
    """Token lists of a batch with one prompt (the final eos left out), the first `keep` steps' logits, and the
    smallest lead of a chosen token over the next best."""
    past = [[] for _ in model.text.blocks]
    h = model.text(embed(model, ids, images), past)[:, -1]
    n = len(ids)
    out, done, kept = [[] for _ in images], [False] * len(images), []
    lead = [float("inf")] * len(images)
    for step in range(most):
        logits = model.text.logits(h)
        if step < keep:
            kept.append(logits.clone())
        top = logits.topk(2, -1)
        for i in range(len(images)):
            if done[i]:
                continue
            lead[i] = min(lead[i], float(top.values[i, 0] - top.values[i, 1]))
            t = int(top.indices[i, 0])
            if t == tok.eos:
                done[i] = True
            else:
                out[i].append(t)
        if all(done):
            break
        h = model.text(model.text.embed(top.indices[:, :1]), past, n)[:, -1]
        n += 1
    return out, kept, lead


def picture(model, tok, img, detail="auto", prompt=sentences.DEFAULT_PROMPT, **kw):
    """(text, rows, columns, frames, prompt ids, embeddings, tokens, kept logits, lead) of one picture."""
    c = model.c
    img = preprocess.over_white(img)
    n = preprocess.longest_for(detail, img.size, c.tile, c.longest)
    rows, cols, frames = preprocess.tiles(img, n, c.tile)
    with torch.no_grad():
        e = model.vision(pixels(frames))
    ids = tokenizer.prompt_ids(tok, rows, cols, c.tile_tokens, prompt)
    toks, kept, lead = greedy(model, tok, ids, e.reshape(1, -1, c.t_hidden), **kw)
    return dict(text=tok.decode(toks[0]).strip(), n=n, rows=rows, cols=cols, frames=frames, ids=ids, embeddings=e.numpy(),
                tokens=toks[0], logits=[k[0].numpy() for k in kept], lead=lead[0])
