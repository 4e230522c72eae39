"""What is seen, as data, and the sentence that says it. Flipping the data flips the sentence."""
from colours import NAMES

SHAPES = ["circle", "square", "triangle", "star", "ring", "cross", "spot"]
SIZES = ["tiny", "small", "medium", "large"]
PLACES = ["at the top left", "at the top", "at the top right", "on the left", "in the centre", "on the right",
          "at the bottom left", "at the bottom", "at the bottom right"]
DEFAULT_PROMPT = "Describe this image in detail."
PROMPTS = ["Describe this image.", "Describe this picture.", "Describe this photo.", "What is in this image?",
           "What do you see?", "What is shown in this picture?", "Caption this photo in one sentence.",
           "Can you describe this image?", "Describe the photo in one sentence.", "Write a short description."]

# A scene is (background, objects, photo).
#   background: ("plain", c) ("textured", c) ("fade", c1, c2, "h" or "v") or None
#   objects: (size, colour, shape, place) as indices
#   photo: ("blurred" or "busy", layout, c1, c2 or -1, place or -1), layout "all", "v" (c1 above c2),
#          "h" (c1 left of c2) or "form" (c1 with a form of c2 at a place)


def thing(o):
    size, colour, shape, place = o
    return f"{SIZES[size]} {NAMES[colour]} {SHAPES[shape]} {PLACES[place]}"


def an(words):
    return ("an " if words[0] in "aeiou" else "a ") + words


def sentence(scene):
    """The one right description of a scene."""
    background, objects, photo = scene
    if photo:
        look, layout, c1, c2, place = photo
        a = NAMES[c1]
        if layout == "all":
            return f"A {look} picture, mostly {a}." if c2 < 0 else f"A {look} picture, mostly {a} and {NAMES[c2]}."
        if layout == "v":
            return f"A {look} picture, mostly {a} at the top and {NAMES[c2]} at the bottom."
        if layout == "h":
            return f"A {look} picture, mostly {a} on the left and {NAMES[c2]} on the right."
        return f"A {look} picture, mostly {a}, with {an(NAMES[c2])} form {PLACES[place]}."
    if background[0] == "fade":
        way = "left to right" if background[3] == "h" else "top to bottom"
        back = f"a background fading from {NAMES[background[1]]} to {NAMES[background[2]]}, {way}"
    else:
        back = an(("textured " if background[0] == "textured" else "") + NAMES[background[1]]) + " background"
    if not objects:
        return ("A plain " + NAMES[background[1]] + " background." if background[0] == "plain"
                else "Only " + back + ".")
    things = ["a " + thing(o) for o in sorted(objects, key=lambda o: o[3])]
    if len(things) == 1:
        text = f"{things[0]} of {back}." if background[0] == "plain" else f"{things[0]}, on {back}."
    else:
        text = ", ".join(things[:-1]) + " and " + things[-1] + ", on " + back + "."
    return "A" + text[1:]


def flip(scene, across, down):
    """The scene mirrored left to right (across) and top to bottom (down)."""
    def place(p):
        r, c = divmod(p, 3)
        return (2 - r if down else r) * 3 + (2 - c if across else c)
    background, objects, photo = scene
    if background and background[0] == "fade" and (across if background[3] == "h" else down):
        background = ("fade", background[2], background[1], background[3])
    objects = [(s, c, f, place(p)) for s, c, f, p in objects]
    if photo:
        look, layout, c1, c2, p = photo
        if (layout == "v" and down) or (layout == "h" and across):
            c1, c2 = c2, c1
        photo = (look, layout, c1, c2, place(p) if p >= 0 else p)
    return background, objects, photo
