"""Writes the reference's own answers for about 40 pictures to internal/models/builtin/testdata/golden (see the README there)."""
import argparse
import hashlib
import json
import os
import shutil

import numpy as np
from PIL import Image

import describe
import draw
import export
import photolike
import sentences
import tokenizer

OUT = os.path.join(export.OUT, "testdata", "golden")
# name, width, height, what is drawn, file type, details
LIST = [
    ("small", 100, 80, "one", "png", "low auto high"), ("tile", 128, 128, "one", "png", "low auto high"),
    ("tile-worn", 128, 128, "worn", "png", "auto"), ("tile-plus", 129, 129, "one", "png", "low auto"),
    ("landscape", 512, 384, "one", "png", "low auto high"), ("portrait", 384, 512, "two", "png", "low auto high"),
    ("tall", 300, 900, "one", "png", "low auto high"), ("wide", 900, 300, "one", "png", "low auto high"),
    ("large", 1000, 700, "one", "png", "low auto high"), ("large-two", 1000, 700, "two", "png", "auto"),
    ("column", 64, 400, "one", "png", "low auto high"), ("row", 400, 64, "one", "png", "low auto high"),
    ("odd", 333, 257, "one", "png", "low auto high"), ("odd-tall", 257, 333, "two", "png", "auto"),
    ("half", 256, 256, "one", "png", "low auto"), ("half-less", 255, 255, "one", "png", "low auto"),
    ("half-plus", 257, 200, "three", "png", "auto"), ("vga", 640, 480, "three", "png", "low auto"),
    ("hd-tall", 720, 1280, "one", "png", "auto high"), ("big", 1200, 800, "tiny", "png", "low auto high"),
    ("prime", 121, 127, "one", "png", "auto"), ("five", 90, 450, "one", "png", "auto high"),
    ("five-wide", 450, 90, "one", "png", "auto"), ("tiny-grid", 250, 250, "tiny", "png", "auto"),
    ("tiny-wide", 250, 160, "tiny", "png", "auto"), ("tiny-tall", 160, 250, "tiny", "png", "auto"),
    ("worn", 200, 150, "worn", "png", "low auto"), ("worn-tall", 90, 130, "worn", "png", "auto"),
    ("speck", 1, 1, "plain", "png", "low auto high"), ("sliver", 3, 200, "plain", "png", "low auto"),
    ("thread", 300, 2, "plain", "png", "auto"), ("few", 17, 31, "plain", "png", "auto"),
    ("horizon", 160, 120, "photo", "jpg", "low auto"), ("lumps", 300, 200, "photo", "jpg", "low auto high"),
    ("clutter", 180, 240, "busy", "jpg", "low auto"), ("photo-small", 110, 90, "photo", "png", "auto"),
    ("drawn-jpeg", 320, 240, "one", "jpg", "low auto"), ("alpha", 220, 160, "alpha", "png", "low auto"),
    ("grey", 200, 200, "grey", "png", "auto"), ("palette", 240, 180, "palette", "png", "auto"),
]
EMBEDDED = {"small", "tile", "landscape", "tall", "row", "odd", "tiny-grid", "horizon", "alpha", "speck"}
LEAD = 0.25      # a golden text must not hang on a smaller difference of two logits


def painted(name, w, h, what, attempt):
    """(picture, the true sentence)."""
    rng = np.random.default_rng([41, attempt, *name.encode()])
    sharp = (128 / w, 128 / h)
    counts = {"two": (2,), "three": (3,), "plain": (0,)}.get(what, (1,))
    if what in ("photo", "busy"):
        while True:
            img, scene, _ = photolike.photo(rng, w, h)
            if scene[2][0] == (photolike.BUSY if what == "busy" else photolike.BLURRED):
                break
    elif what == "alpha":                     # a shape on nothing: white is put behind
        masks = []
        while not masks or scene[1][0][1] == 9:       # a white shape would vanish
            img, scene, masks = draw.scene(rng, w, h, sharp, sizes_allowed=(draw.MEDIUM,), worn=False)
        mask, at = masks[0]
        clear = Image.new("L", (w, h))
        clear.paste(mask, at)
        img.putalpha(clear)
        scene = (("plain", 9), scene[1][:1], None)
    else:
        wanted = {"tiny": (draw.TINY,), "plain": (1,)}.get(what, (1, 2, 3))
        while True:
            img, scene, _ = draw.scene(rng, w, h, (2 * sharp[0], 2 * sharp[1]) if what == "tiny" else sharp,
                                       sizes_allowed=wanted, counts=counts, worn=what == "worn")
            if len(scene[1]) == counts[0] and (w * h < 2e4 or what == "worn" or scene[0][0] == "plain"):
                break
        if what == "grey":
            img = img.convert("L")
        if what == "palette":
            img = img.convert("P", palette=Image.Palette.ADAPTIVE)
    return img, sentences.sentence(scene)


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--checkpoint", default="/tmp/photodesc-builtin/checkpoint.pt")
    p.add_argument("--out", default=OUT)
    a = p.parse_args()
    model, step = export.load(a.checkpoint)
    tok = tokenizer.Tokenizer()
    c = model.c
    for d in ("pictures", "tiles"):
        shutil.rmtree(os.path.join(a.out, d), ignore_errors=True)
        os.makedirs(os.path.join(a.out, d))
    floats, at, entries = [], 0, []

    def store(x):
        nonlocal at
        x = np.ascontiguousarray(x, "<f4").ravel()
        floats.append(x)
        at += x.size
        return at - x.size

    for name, w, h, what, kind, details in LIST:
        path = os.path.join(a.out, "pictures", f"{name}.{kind}")
        for attempt in range(12):
            img, truth = painted(name, w, h, what, attempt)
            img.save(path, **({"quality": 88} if kind == "jpg" else {"optimize": True}))
            got = {d: describe.picture(model, tok, Image.open(path), d, keep=3) for d in details.split()}
            enough = min(g["lead"] for g in got.values()) >= LEAD
            right = what in ("photo", "busy", "grey", "plain") or any(g["text"] == truth for g in got.values())
            if enough and (right or attempt > 7):
                break
        for d, g in got.items():
            n = len(g["frames"])
            shown = list(range(n)) if n <= 5 else [0, n // 2, n - 1]
            tiles = Image.new("RGB", (c.tile, c.tile * len(shown)))
            for i, t in enumerate(shown):
                tiles.paste(g["frames"][t], (0, i * c.tile))
            file = f"tiles/{name}-{d}.png"
            tiles.save(os.path.join(a.out, file), optimize=True)
            e = {"name": name, "detail": d, "picture": f"pictures/{name}.{kind}", "width": w, "height": h, "lossy": kind == "jpg",
                 "n": g["n"], "rows": g["rows"], "cols": g["cols"], "tiles": n, "tiles_file": file, "tiles_shown": shown,
                 "prompt_ids": g["ids"], "text": g["text"], "tokens": g["tokens"], "truth": truth, "lead": round(g["lead"], 4),
                 "logits": {"offset": store(np.stack(g["logits"])), "steps": len(g["logits"])}}
            if name in EMBEDDED:
                e["embeddings"] = {"offset": store(g["embeddings"][shown]), "tiles": shown}
            entries.append(e)
            print(name, d, f"{g['rows']}x{g['cols']}", f"lead {g['lead']:.2f}", g["text"], "" if g["text"] == truth else f"(true: {truth})")
    np.concatenate(floats).astype("<f4").tofile(os.path.join(a.out, "floats.f32"))
    model_files = {f: hashlib.sha256(open(os.path.join(export.OUT, f), "rb").read()).hexdigest()
                   for f in ("builtin.gguf", "mmproj-builtin.gguf")}
    head = {"step": step, "files": model_files, "prompt": sentences.DEFAULT_PROMPT, "tile": c.tile, "longest": c.longest,
            "tile_tokens": c.tile_tokens, "embd": c.t_hidden, "vocab": c.vocab, "eos": tok.eos, "image_id": tokenizer.IMAGE,
            "max_tokens": 64, "floats": "floats.f32"}
    with open(os.path.join(a.out, "golden.json"), "w") as f:
        f.write(json.dumps(head)[:-1] + ', "entries": [\n' + ",\n".join(json.dumps(e) for e in entries) + "\n]}\n")


if __name__ == "__main__":
    main()
