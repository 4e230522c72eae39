"""The reference's way from a picture to tiles, with Pillow: see facts.md, "Preprocessing"."""
import math

from PIL import Image

LANCZOS = Image.Resampling.LANCZOS


def over_white(img):
    """Any picture as RGB, transparency over white."""
    if img.mode in ("RGBA", "LA", "PA") or "transparency" in img.info:
        img = img.convert("RGBA")
        white = Image.new("RGBA", img.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, img).convert("RGB")
    return img.convert("RGB")


def longest_for(detail, size, tile, longest):
    """N, the longest edge a level of detail resizes to."""
    if detail == "low":
        return tile
    if detail == "high":
        return longest
    return min(longest // 2, max(size))


def sizes(w, h, n, tile):
    """The size after the first and after the second resize."""
    if w >= h:
        w2, h2 = n, int(n / (w / h))
        h2 += h2 % 2
    else:
        h2, w2 = n, int(n * (w / h))
        w2 += w2 % 2
    w2, h2 = max(w2, 1), max(h2, 1)
    if w2 >= h2:
        w3 = math.ceil(w2 / tile) * tile
        h3 = math.ceil(int(w3 / (w2 / h2)) / tile) * tile
    else:
        h3 = math.ceil(h2 / tile) * tile
        w3 = math.ceil(int(h3 * (w2 / h2)) / tile) * tile
    return (w2, h2), (max(w3, tile), max(h3, tile))


def tiles(img, n, tile):
    """(rows, columns, frames): frames row by row and the whole picture last; 0 rows mean one frame only."""
    first, second = sizes(*img.size, n, tile)
    img = img.resize(first, LANCZOS).resize(second, LANCZOS)
    cols, rows = second[0] // tile, second[1] // tile
    if cols == 1 and rows == 1:
        return 0, 0, [img]
    frames = [img.crop((c * tile, r * tile, (c + 1) * tile, (r + 1) * tile)) for r in range(rows) for c in range(cols)]
    return rows, cols, frames + [img.resize((tile, tile), LANCZOS)]
