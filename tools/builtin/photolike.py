"""Pictures like photos: horizons, lumps, clutter. They are described by their main colours only."""
import math

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

import colours
import draw

BLURRED, BUSY = "blurred", "busy"


def any_colour(rng):
    """A natural colour more often than a loud one."""
    i = int(rng.integers(len(colours.NAMES)))
    pool = colours.EXTRA if rng.random() < 0.7 else colours.SHADES
    shades = pool[colours.NAMES[i]]
    return np.clip(np.array(shades[int(rng.integers(len(shades)))], np.float32) + rng.normal(0, 8, 3), 0, 255)


def canvas(rng, w, h):
    """Large soft areas of colour: two halves with a ragged border, or one ground, with slow variation."""
    yy, xx = np.mgrid[0:h, 0:w].astype(np.float32)
    u, v = xx / w, yy / h
    kind = rng.choice(["tb", "lr", "one", "three"], p=[0.35, 0.12, 0.4, 0.13])
    a, b = any_colour(rng), any_colour(rng)
    if kind == "one":
        px = np.broadcast_to(a, (h, w, 3)).astype(np.float32).copy()
    else:
        t = v if kind != "lr" else u
        line = rng.uniform(0.35, 0.65) + draw.smooth_field(rng, w, h, rng.uniform(2, 8)) * rng.uniform(0, 0.06)
        soft = rng.uniform(0.005, 0.2)
        m = (1 / (1 + np.exp(np.clip(-(t - line) / soft * 2, -30, 30))))[..., None]
        px = a * (1 - m) + b * m
        if kind == "three":
            m = (np.abs(t - rng.uniform(0.3, 0.7)) < rng.uniform(0.05, 0.15))[..., None]
            px = np.where(m, any_colour(rng), px)
    for k in (2, 5, 12, 40):
        px = px + (draw.smooth_field(rng, w, h, k) * rng.uniform(0, 22) / math.sqrt(k / 2))[..., None]
    if rng.random() < 0.5:
        px = px + np.stack([draw.smooth_field(rng, w, h, 3) for _ in range(3)], -1) * rng.uniform(0, 14)
    return px


def clutter(rng, img):
    """Many small things, none of which is one of the known shapes on a quiet background."""
    w, h = img.size
    d = ImageDraw.Draw(img)
    palette = [any_colour(rng) for _ in range(int(rng.integers(2, 6)))]
    s = math.sqrt(w * h)
    for _ in range(int(rng.integers(25, 120))):
        c = tuple(int(x) for x in np.clip(palette[int(rng.integers(len(palette)))] + rng.normal(0, 18, 3), 0, 255))
        x, y, r = rng.uniform(0, w), rng.uniform(0, h), s * rng.uniform(0.02, 0.16)
        k = rng.random()
        if k < 0.35:
            d.line([x, y, x + rng.normal(0, 2 * r), y + rng.normal(0, 2 * r)], fill=c, width=max(1, round(r * rng.uniform(0.05, 0.4))))
        elif k < 0.8:
            n = int(rng.integers(3, 8))
            d.polygon([(x + rng.normal(0, r), y + rng.normal(0, r)) for _ in range(n)], fill=c)
        else:
            rx, ry = r * rng.uniform(0.3, 1), r * rng.uniform(0.3, 1)
            d.ellipse([x - rx, y - ry, x + rx, y + ry], fill=c)
    return img


def shares(img):
    """Share of each colour name in the whole picture, its halves top, bottom, left, right."""
    a = np.asarray(img.resize((24, 24), Image.Resampling.BOX), np.float32)
    names = colours.name_of(a)
    n = len(colours.NAMES)
    def part(x):
        return np.bincount(x.ravel(), minlength=n) / x.size
    return part(names), part(names[:12]), part(names[12:]), part(names[:, :12]), part(names[:, 12:])


def name_it(img, look):
    """The photo part of a scene, read off the pixels."""
    whole, top, bottom, left, right = shares(img)
    for layout, x, y in (("v", top, bottom), ("h", left, right)):
        i, j = int(x.argmax()), int(y.argmax())
        if i != j and x[i] > 0.55 and y[j] > 0.55 and y[i] < 0.35 and x[j] < 0.35:
            return look, layout, i, j, -1
    order = np.argsort(-whole)
    second = int(order[1]) if whole[order[1]] > 0.22 else -1
    return look, "all", int(order[0]), second, -1


def photo(rng, w, h):
    """(picture, scene as data, no masks)."""
    look = BUSY if rng.random() < 0.45 else BLURRED
    for _ in range(10):
        img = Image.fromarray(np.clip(canvas(rng, w, h), 0, 255).astype(np.uint8))
        if look == BUSY:
            img = clutter(rng, img)
        elif rng.random() < 0.35:            # a soft form of another colour
            ground = int(shares(img)[0].argmax())
            c = any_colour(rng)
            ci = int(colours.name_of(c))
            if ci == ground or colours.apart(c, np.asarray(img.resize((1, 1), Image.Resampling.BOX))[0, 0]) < 35:
                continue
            p = int(rng.integers(9))
            cx, cy = (rng.uniform(max(.2, b[0]), min(.8, b[1])) for b in (draw.BAND[p % 3], draw.BAND[p // 3]))
            yy, xx = np.mgrid[0:h, 0:w].astype(np.float32)
            f = draw.smooth_field(rng, w, h, 5) * 0.12
            rx, ry = rng.uniform(0.14, 0.26, 2)
            m = 1 - np.sqrt(((xx / w - cx) / rx) ** 2 + ((yy / h - cy) / ry) ** 2) + f
            m = (1 / (1 + np.exp(np.clip(-m * rng.uniform(4, 14), -30, 30))))[..., None]
            img = Image.fromarray((np.asarray(img) * (1 - m) + c * m).clip(0, 255).astype(np.uint8))
            if shares(img)[0][ground] > 0.4:
                return draw.wear(rng, img), (None, [], (look, "form", ground, ci, p)), []
            continue
        if look == BLURRED:
            img = img.filter(ImageFilter.GaussianBlur(rng.uniform(0, 0.015) * max(w, h)))
        img = draw.wear(rng, img)
        break
    return img, (None, [], name_it(img, look)), []
