"""The training pictures, drawn ahead into shards on disk. Shard s of a kind is always the same, whoever draws it."""
import os
import pickle
import time
import zlib

import numpy as np
from PIL import Image

import draw
import photolike
import preprocess
from sentences import flip

# kind: (rows, columns, N, pictures a shard, longest edge of the source picture)
# "dense" pictures, many objects in each, are for the encoder's own heads only; "slim" ones are that and far from square.
KINDS = {"single": (0, 0, 128, 4096, (60, 420)), "dense": (0, 0, 128, 2048, (100, 320)),
         "slim": (0, 0, 128, 2048, (150, 500))}
for _r, _c in ((2, 2), (1, 2), (2, 1)):
    KINDS[f"g{_r}x{_c}"] = (_r, _c, 256, 768, (129, 560))
for _r, _c in ((4, 4), (3, 4), (4, 3), (2, 4), (4, 2), (1, 4), (4, 1)):
    KINDS[f"g{_r}x{_c}"] = (_r, _c, 512, 256, (100, 800))


def patch_map(img_size, masks, rows, cols, patches=8):
    """Which object covers each patch of the whole picture: 0 none, 1 the first, …"""
    out = np.zeros((rows * patches, cols * patches), np.uint8)
    best = np.full(out.shape, 0.12, np.float32)
    w, h = img_size
    k = min(1.0, 256 / max(w, h))
    for i, (mask, at) in enumerate(masks):
        if k < 1:
            mask = mask.resize((max(1, round(mask.size[0] * k)), max(1, round(mask.size[1] * k))), Image.Resampling.BOX)
        full = Image.new("L", (max(1, round(w * k)), max(1, round(h * k))))
        full.paste(mask, (round(at[0] * k), round(at[1] * k)))
        cover = np.asarray(full.resize(out.shape[::-1], Image.Resampling.BOX), np.float32) / 255
        cover = cover * max(1.0, 0.13 / max(float(cover.max()), 1e-6))   # a small object marks at least one patch
        hit = cover > best
        out[hit] = i + 1
        best[hit] = cover[hit]
    return out


def picture(rng, kind):
    """(frames [n, tile, tile, 3], scene, patch map of the global frame) of one random picture of a kind."""
    rows, cols, n, _, (lo, hi) = KINDS[kind]
    while True:
        w, h = draw.random_size(rng, lo, hi)
        if kind == "slim" and max(w, h) < 2 * min(w, h):
            continue
        if rows == 0:
            if kind == "single" and rng.random() < 0.15 and max(w, h) > 128:       # what `auto` never does, and `low` always
                w, h = max(16, w // 3), max(16, h // 3)
            break
        size = preprocess.sizes(w, h, n, 128)[1]
        if size == (cols * 128, rows * 128):
            break
    sharp = (max(cols, 1) * 128 / w, max(rows, 1) * 128 / h)
    r = rng.random()
    if kind in ("dense", "slim"):
        img, scene, masks = draw.scene(rng, w, h, sharp, sizes_allowed=(1, 1, 1, 2, 2), counts=(4, 5, 6, 7, 8, 9))
    elif r < 0.14:
        img, scene, masks = photolike.photo(rng, w, h)
    elif r < 0.17:
        img, scene, masks = draw.scene(rng, w, h, sharp, counts=(0,))
    elif kind == "single":
        if r < 0.24:
            img, scene, masks = draw.scene(rng, w, h, sharp, sizes_allowed=(draw.TINY,), counts=(1, 1, 2))
        else:
            img, scene, masks = draw.scene(rng, w, h, sharp)
    elif r < 0.55:
        img, scene, masks = draw.scene(rng, w, h, sharp, sizes_allowed=(draw.TINY,), counts=(1, 1, 2))
    else:
        img, scene, masks = draw.scene(rng, w, h, sharp, sizes_allowed=(1, 2, 3) if r < 0.9 else (0, 1, 2, 3))
    _, _, frames = preprocess.tiles(img, n, 128)
    frames = np.stack([np.asarray(f) for f in frames])
    return frames, scene, patch_map(img.size, masks, 1, 1)


def path(folder, kind, shard):
    return os.path.join(folder, f"{kind}-{shard:04d}")


def make(folder, kind, shard, seed):
    """Draws one shard, unless it is there."""
    p = path(folder, kind, shard)
    if os.path.exists(p + ".pkl"):
        return
    rng = np.random.default_rng([seed, zlib.crc32(kind.encode()), shard])
    count = KINDS[kind][3]
    frames, scenes, maps = [], [], []
    for _ in range(count):
        f, s, m = picture(rng, kind)
        frames.append(f)
        scenes.append(s)
        maps.append(m)
    np.save(p + ".tmp.npy", np.stack(frames))
    os.rename(p + ".tmp.npy", p + ".npy")
    with open(p + ".tmp", "wb") as f:
        pickle.dump((scenes, np.stack(maps)), f)
    os.rename(p + ".tmp", p + ".pkl")


def clear(scene):
    """One medium or large object on a plain background: what to learn first."""
    return len(scene[1]) == 1 and scene[1][0][0] >= draw.MEDIUM and scene[0][0] == "plain"


class Pool:
    """A window of shards of one kind, opened as they are needed; waits for the drawing process."""
    def __init__(self, folder, kind, window):
        self.folder, self.kind, self.window, self.open = folder, kind, window, {}

    def shard(self, s):
        if s not in self.open:
            p = path(self.folder, self.kind, s)
            while not os.path.exists(p + ".pkl"):
                time.sleep(0.2)
            with open(p + ".pkl", "rb") as f:
                scenes, maps = pickle.load(f)
            self.open[s] = (np.load(p + ".npy", mmap_mode="r"), scenes, maps)
            for old in [o for o in self.open if o < s - self.window]:
                del self.open[old]
        return self.open[s]

    def sample(self, rng, newest, count, easy=False):
        """`count` random pictures out of the shards newest-window+1 … newest, each randomly mirrored."""
        oldest = max(0, newest - self.window + 1)
        shards = np.sort(rng.integers(oldest, newest + 1, count))
        frames, scenes, maps = [], [], []
        rows, cols = KINDS[self.kind][:2]
        for s in shards:
            f, sc, m = self.shard(int(s))
            i = int(rng.integers(len(sc)))
            while easy and not clear(sc[i]):
                i = int(rng.integers(len(sc)))
            across, down = rng.random() < 0.5, rng.random() < 0.5
            x, mm = f[i], m[i]
            if rows and (across or down):
                order = np.arange(rows * cols).reshape(rows, cols)
                order = order[::-1] if down else order
                order = order[:, ::-1] if across else order
                x = np.concatenate([x[order.ravel()], x[-1:]])
            if across:
                x, mm = x[:, :, ::-1], mm[:, ::-1]
            if down:
                x, mm = x[:, ::-1], mm[::-1]
            frames.append(x)
            scenes.append(flip(sc[i], across, down))
            maps.append(mm)
        return np.stack(frames), scenes, np.stack(maps)
