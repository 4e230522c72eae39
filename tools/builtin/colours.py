"""The twelve colour names, the RGB values that deserve each, and the way back from RGB to a name."""
import numpy as np

NAMES = ["red", "green", "blue", "yellow", "orange", "purple", "pink", "brown", "black", "white", "grey", "cyan"]

# What people (CSS, X11, common plot palettes) mean by the name. The first entry is the plain one.
SHADES = {
    "red": [(255, 0, 0), (230, 20, 20), (220, 20, 60), (205, 15, 25), (240, 50, 40), (214, 39, 40)],
    "green": [(0, 128, 0), (0, 255, 0), (34, 139, 34), (50, 205, 50), (44, 160, 44), (0, 180, 60), (0, 100, 0)],
    "blue": [(0, 0, 255), (30, 60, 220), (65, 105, 225), (0, 0, 160), (0, 0, 128), (31, 100, 200), (30, 144, 255)],
    "yellow": [(255, 255, 0), (255, 225, 20), (240, 230, 40), (250, 240, 80)],
    "orange": [(255, 165, 0), (255, 140, 0), (255, 127, 14), (250, 120, 10)],
    "purple": [(128, 0, 128), (148, 0, 211), (138, 43, 226), (160, 32, 240), (110, 30, 160), (150, 60, 190)],
    "pink": [(255, 192, 203), (255, 105, 180), (255, 182, 193), (255, 150, 190), (240, 130, 180)],
    "brown": [(165, 42, 42), (139, 69, 19), (160, 82, 45), (120, 70, 30), (101, 67, 33), (130, 60, 40)],
    "black": [(0, 0, 0), (0, 0, 0), (15, 15, 15), (30, 30, 30)],
    "white": [(255, 255, 255), (255, 255, 255), (248, 248, 248), (240, 240, 240)],
    "grey": [(128, 128, 128), (150, 150, 150), (169, 169, 169), (105, 105, 105), (190, 190, 190), (90, 90, 90)],
    "cyan": [(0, 255, 255), (0, 206, 209), (0, 220, 235), (64, 224, 208), (0, 190, 220)],
}

# Further anchors, only to name the colours of photo-like pictures.
EXTRA = {
    "red": [(150, 20, 20), (190, 60, 55)],
    "green": [(60, 80, 40), (90, 120, 60), (130, 160, 90), (40, 60, 35), (150, 200, 130), (85, 107, 47)],
    "blue": [(135, 175, 225), (100, 150, 210), (60, 90, 140), (30, 40, 80), (135, 206, 235), (70, 130, 180)],
    "yellow": [(230, 200, 90), (240, 220, 130), (200, 170, 30)],
    "orange": [(220, 130, 60), (240, 160, 90), (205, 100, 20)],
    "purple": [(100, 70, 130), (70, 30, 90), (170, 130, 200)],
    "pink": [(230, 170, 170), (220, 120, 150), (250, 210, 215)],
    "brown": [(90, 60, 45), (150, 115, 80), (60, 40, 25), (185, 150, 115), (110, 90, 65)],
    "black": [(10, 14, 20), (28, 24, 20)],
    "white": [(235, 235, 240), (245, 240, 230)],
    "grey": [(70, 72, 75), (140, 145, 150), (200, 203, 208), (120, 115, 110)],
    "cyan": [(120, 220, 220), (0, 150, 160), (160, 235, 235)],
}


def lab(rgb):
    """sRGB 0..255, any leading shape, to CIE Lab (D65)."""
    c = np.asarray(rgb, np.float64) / 255
    c = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
    xyz = c @ np.array([[0.4124, 0.2126, 0.0193], [0.3576, 0.7152, 0.1192], [0.1805, 0.0722, 0.9505]])
    t = xyz / np.array([0.9505, 1.0, 1.089])
    f = np.where(t > 0.008856, np.cbrt(t), 7.787 * t + 16 / 116)
    return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], -1)


_anchor_names = []
_anchors = []
for _i, _n in enumerate(NAMES):
    for _c in SHADES[_n] + EXTRA[_n]:
        _anchor_names.append(_i)
        _anchors.append(_c)
_anchor_names = np.array(_anchor_names)
_anchor_lab = lab(np.array(_anchors))


def name_of(rgb):
    """Index of the nearest colour name for every RGB in the array."""
    x = lab(rgb)
    d = ((x[..., None, :] - _anchor_lab) * np.array([0.8, 1, 1])) ** 2
    return _anchor_names[d.sum(-1).argmin(-1)]


def pick(rng, index):
    """A shade of the colour, a little off."""
    shades = SHADES[NAMES[index]]
    c = np.array(shades[0 if rng.random() < 0.35 else rng.integers(len(shades))], np.float64)
    if rng.random() < 0.7:
        c = c * rng.uniform(0.95, 1.03) + rng.normal(0, 5, 3)
    return np.clip(c, 0, 255)


def apart(a, b):
    """Distance of two RGB colours, as the eye has it."""
    return float(np.sqrt(((lab(a) - lab(b)) ** 2).sum()))
