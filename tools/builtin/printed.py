"""Colours as print has them: what a screen shows of a picture that was kept in cyan, magenta, yellow and black."""
import numpy as np

# sRGB of paper and of process inks over each other: index 4 for cyan, 2 for magenta, 1 for yellow.
INKS = np.array([(255, 255, 255), (255, 238, 0), (235, 30, 132), (236, 33, 40),
                 (0, 157, 228), (0, 142, 65), (26, 39, 123), (47, 39, 55)], np.float32)
BLACK = np.array((38, 32, 40), np.float32)
BITS = 6                          # of each channel that the table knows


def table():
    """uint8 [64, 64, 64, 3]: the printed colour of every RGB. Inks cover paper as dots do: their colours mix by area."""
    v = (np.arange(1 << BITS, dtype=np.float32) + 0.5) / (1 << BITS)
    rgb = np.stack(np.meshgrid(v, v, v, indexing="ij"), -1)
    rgb = np.clip((rgb - v[0]) / (v[-1] - v[0]), 0, 1)
    light = rgb.max(-1, keepdims=True)
    cmy = 1 - rgb / np.maximum(light, 1e-6)
    out = np.zeros_like(rgb)
    for i, ink in enumerate(INKS):
        share = np.ones(rgb.shape[:-1], np.float32)
        for channel, bit in enumerate((4, 2, 1)):
            share = share * (cmy[..., channel] if i & bit else 1 - cmy[..., channel])
        out += share[..., None] * ink
    return np.clip(out * light + BLACK * (1 - light), 0, 255).astype(np.uint8)


TABLE = table()


def printed(frames):
    """frames: uint8 [..., 3]."""
    i = frames >> (8 - BITS)
    return TABLE[i[..., 0], i[..., 1], i[..., 2]]
