"""Draws scenes: a random picture with Pillow, and what is in it as data."""
import io
import math

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

import colours
from colours import NAMES
from sentences import SHAPES

CIRCLE, SQUARE, TRIANGLE, STAR, RING, CROSS, SPOT = range(7)
TINY, SMALL, MEDIUM, LARGE = range(4)
# Extent as a fraction of the picture's short side; between the classes lies nothing.
EXTENT = [(0.05, 0.10), (0.14, 0.24), (0.32, 0.46), (0.60, 0.88)]
BAND = [(0.04, 0.34), (0.43, 0.57), (0.66, 0.96)]   # where the middle of an object lies, as a fraction of a side
SPOT_BELOW, SHAPE_FROM = 8.0, 9.5                    # pixels of the narrower side, in the sharpest frame

_noise = np.random.default_rng(7).normal(0, 1, (1 << 20) + (1 << 20)).astype(np.float32)


def noise(rng, shape):
    """Normal noise cut out of a bank, which is much faster than making it."""
    n = int(np.prod(shape))
    o = int(rng.integers(0, len(_noise) - n)) if n < len(_noise) else 0
    return np.resize(_noise[o:o + n], shape)


def random_size(rng, lo, hi):
    """Width and height of a picture whose longest side lies in lo..hi."""
    longest = math.exp(rng.uniform(math.log(lo), math.log(hi)))
    if rng.random() < 0.6:
        r = float(rng.choice([1, 1, 4 / 3, 1.5, 16 / 9]))
    else:
        r = math.exp(rng.uniform(0, math.log(5)))
    short = max(longest / r, 16)
    w, h = (longest, short) if rng.random() < 0.5 else (short, longest)
    return max(16, round(w)), max(16, round(h))


def smooth_field(rng, w, h, cells):
    """A soft random field of about `cells` lumps along the longest side, mean 0, deviation about 1."""
    k = max(w, h) / cells
    small = (max(2, round(w / k) + 1), max(2, round(h / k) + 1))
    a = noise(rng, (small[1], small[0]))
    return np.asarray(Image.fromarray(a, "F").resize((w, h), Image.Resampling.BICUBIC))


def background(rng, w, h):
    """(pixels as float [h, w, 3], the background as data, its colours as RGB)."""
    kind = rng.choice(["plain", "shaded", "textured", "fade"], p=[0.5, 0.15, 0.23, 0.12])
    c = int(rng.integers(len(NAMES)))
    if rng.random() < 0.35:
        c = NAMES.index(str(rng.choice(["white", "white", "grey", "black"])))
    rgb = colours.pick(rng, c)
    yy, xx = np.mgrid[0:h, 0:w].astype(np.float32)
    u, v = xx / max(w - 1, 1), yy / max(h - 1, 1)
    if kind == "plain":
        return np.broadcast_to(rgb, (h, w, 3)).astype(np.float32), ("plain", c), [rgb]
    if kind == "shaded":                     # one colour, a little lighter to one side: still plain
        t = rng.uniform(0, 2 * math.pi)
        g = (u - 0.5) * math.cos(t) + (v - 0.5) * math.sin(t)
        px = rgb + (g * rng.uniform(10, 45))[..., None]
        return px.astype(np.float32), ("plain", c), [np.clip(rgb - 16, 0, 255), np.clip(rgb + 16, 0, 255)]
    if kind == "fade":
        for _ in range(20):
            d = int(rng.integers(len(NAMES)))
            rgb2 = colours.pick(rng, d)
            if d != c and colours.apart(rgb, rgb2) > 45:
                break
        else:
            return np.broadcast_to(rgb, (h, w, 3)).astype(np.float32), ("plain", c), [rgb]
        way = "h" if rng.random() < 0.5 else "v"
        g = (u if way == "h" else v)[..., None]
        px = rgb * (1 - g) + rgb2 * g
        return px.astype(np.float32), ("fade", c, d, way), [rgb, rgb2, (rgb + rgb2) / 2]
    depth = rng.uniform(9, 26)
    form = rng.integers(4)
    if form == 0:                            # stripes
        t, k = rng.uniform(0, math.pi), rng.uniform(5, 16)
        f = np.sin((u * w * math.cos(t) + v * h * math.sin(t)) / max(w, h) * k * 2 * math.pi) * 1.2
    elif form == 1:                          # checks
        k = rng.uniform(5, 14) / max(w, h)
        f = ((np.floor(xx * k) + np.floor(yy * k)) % 2) * 2 - 1
    elif form == 2:                          # lumps
        f = smooth_field(rng, w, h, rng.uniform(8, 30))
    else:                                    # grain
        f = sum(smooth_field(rng, w, h, k) for k in (10, 25, 60)) * 0.7
    lo, hi = np.clip(rgb - depth, 0, 255), np.clip(rgb + depth, 0, 255)
    return np.clip(rgb + (f * depth)[..., None], 0, 255).astype(np.float32), ("textured", c), [lo, hi]


def outline(rng, shape, q):
    """The corners of a shape within the unit circle (or None for round ones), q its thickness 0..1."""
    def ring(n, r, phase):
        return [(r * math.sin(phase + 2 * math.pi * i / n), -r * math.cos(phase + 2 * math.pi * i / n)) for i in range(n)]
    if shape == SQUARE:
        s = rng.uniform(0.82, 0.92)
        return [(-s, -s), (s, -s), (s, s), (-s, s)]
    if shape == TRIANGLE:
        if rng.random() < 0.12:
            return [(-0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)]
        x, top = rng.uniform(0.85, 1.0), rng.uniform(0.8, 1.0)
        return [(0, -top), (x, 0.85), (-x, 0.85)]
    if shape == STAR:
        n = int(rng.choice([5, 5, 5, 5, 5, 5, 6, 8, 4]))
        inner = (0.36 + 0.16 * q) if n > 4 else (0.28 + 0.1 * q)
        a, b = ring(n, 1, 0), ring(n, inner, math.pi / n)
        return [p for pair in zip(a, b) for p in pair]
    if shape == CROSS:
        t, s = 0.18 + 0.2 * q, 0.95
        return [(-t, -s), (t, -s), (t, -t), (s, -t), (s, t), (t, t), (t, s), (-t, s), (-t, t), (-s, t), (-s, -t), (-t, -t)]
    return None


def stencil(rng, shape, w, h):
    """Two coverage masks of w×h pixels for a shape that fills about that box: what is painted, and what it encloses."""
    k = 4 if max(w, h) < 160 else 2
    W, H = max(1, math.ceil(w * k)), max(1, math.ceil(h * k))
    mask = Image.new("L", (-(-W // k) * k, -(-H // k) * k), 0)
    d = ImageDraw.Draw(mask)
    cx, cy, rx, ry = mask.size[0] / 2, mask.size[1] / 2, w * k / 2, h * k / 2
    q = rng.random()
    points = outline(rng, shape, q)
    if points is None:
        d.ellipse([cx - rx, cy - ry, cx + rx, cy + ry], fill=255)
        full = mask
        if shape == RING:
            full = mask.copy()
            i = 0.45 + 0.33 * q
            d.ellipse([cx - rx * i, cy - ry * i, cx + rx * i, cy + ry * i], fill=0)
        return mask.reduce(k), full.reduce(k)
    if rng.random() < 0.5:
        spread = 0.44 if shape in (STAR, SQUARE) else 0.3
        a = rng.uniform(-spread, spread)
    else:
        a = 0
    if shape == TRIANGLE and rng.random() < 0.25:
        a += float(rng.choice([math.pi, math.pi / 2, -math.pi / 2]))
    if shape in (CROSS, SQUARE) and rng.random() < 0.1:
        a += math.pi / 4
    ca, sa = math.cos(a), math.sin(a)
    points = [(x * ca - y * sa, x * sa + y * ca) for x, y in points]
    m = max(1.0, max(max(abs(x), abs(y)) for x, y in points))
    d.polygon([(cx + x / m * rx, cy + y / m * ry) for x, y in points], fill=255)
    mask = mask.reduce(k)
    return mask, mask


def place_objects(rng, w, h, sharp, sizes_allowed, count):
    """Boxes (size, shape, place, cx, cy, bw, bh) that do not touch. `sharp` is (x, y) frame pixels per picture pixel."""
    out = []
    short = min(w, h)
    places = list(rng.permutation(9))
    for _ in range(60):
        if len(out) == count:
            break
        p = int(places[int(rng.integers(len(places)))])
        size = int(rng.choice(sizes_allowed))
        s = rng.uniform(*EXTENT[size]) * short
        bw, bh = s, s
        if rng.random() < 0.4:
            bw *= rng.uniform(0.88, 1)
            bh *= rng.uniform(0.88, 1)
        shape = int(rng.integers(6))
        seen = min(bw * sharp[0], bh * sharp[1])
        if seen < SPOT_BELOW:
            if size != TINY or seen < 2.5:
                continue
            shape = SPOT
        elif seen < SHAPE_FROM:
            continue
        spot = []
        for side, half, band in ((w, bw / 2, BAND[p % 3]), (h, bh / 2, BAND[p // 3])):
            lo, hi = max(band[0] * side, half + 1), min(band[1] * side, side - half - 1)
            if lo > hi:
                break
            spot.append(rng.uniform(lo, hi))
        if len(spot) < 2:
            continue
        gap = 0.02 * short
        if any(o[2] == p or (abs(o[3] - spot[0]) < (o[5] + bw) / 2 + gap and abs(o[4] - spot[1]) < (o[6] + bh) / 2 + gap)
               for o in out):
            continue
        out.append((size, shape, p, spot[0], spot[1], bw, bh))
    return out


def wear(rng, img):
    """Noise, blur and JPEG loss, as cameras and people add them."""
    longest = max(img.size)
    if rng.random() < 0.3:
        img = img.filter(ImageFilter.GaussianBlur(rng.uniform(0, 0.008) * longest))
    if rng.random() < 0.35:
        a = np.asarray(img, np.float32)
        n = noise(rng, a.shape) if rng.random() < 0.5 else noise(rng, a.shape[:2])[..., None]
        img = Image.fromarray(np.clip(a + n * rng.uniform(1, 14), 0, 255).astype(np.uint8))
    if rng.random() < 0.3:
        f = io.BytesIO()
        img.save(f, "JPEG", quality=int(rng.integers(25, 96)))
        img = Image.open(f).convert("RGB")
    return img


def scene(rng, w, h, sharp, sizes_allowed=(SMALL, MEDIUM, LARGE), counts=(1, 1, 1, 2, 3), worn=True):
    """(picture, scene as data, one full-picture mask per object)."""
    px, ground, ground_rgb = background(rng, w, h)
    img = Image.fromarray(np.clip(px, 0, 255).astype(np.uint8))
    count = int(rng.choice(counts))
    objects, masks = [], []
    for size, shape, p, cx, cy, bw, bh in place_objects(rng, w, h, sharp, sizes_allowed, count):
        for _ in range(20):
            c = int(rng.integers(len(NAMES)))
            rgb = colours.pick(rng, c)
            if min(colours.apart(rgb, g) for g in ground_rgb) > 30 and c not in ground[1:]:
                break
        else:
            continue
        paint, full = stencil(rng, shape if shape != SPOT else int(rng.integers(6)), bw, bh)
        at = (round(cx - paint.size[0] / 2), round(cy - paint.size[1] / 2))
        if rng.random() < 0.12:              # an object is not always of one flat colour
            a = rgb + (smooth_field(rng, *paint.size, 4) * rng.uniform(3, 12))[..., None]
            img.paste(Image.fromarray(np.clip(a, 0, 255).astype(np.uint8)), at, paint)
        else:
            img.paste(tuple(int(round(v)) for v in rgb), (at[0], at[1], at[0] + paint.size[0], at[1] + paint.size[1]), paint)
        objects.append((size, c, shape, p))
        masks.append((full, at))
    return (wear(rng, img) if worn else img), (ground, objects, None), masks
