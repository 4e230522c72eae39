"""Byte-level BPE as llama.cpp does it for tokenizer model `gpt2`, pre-tokenizer `smollm`, with a small vocabulary."""
import re
from collections import Counter

import sentences

BEFORE = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
AFTER = (["<fake_token_around_image>", "<image>", "<global-img>", "<end_of_utterance>"]
         + [f"<row_{r}_col_{c}>" for r in range(1, 7) for c in range(1, 7)])
SPECIAL = BEFORE + AFTER
_special = re.compile("(" + "|".join(re.escape(s) for s in sorted(SPECIAL, key=len, reverse=True)) + ")")


def byte_letters():
    """The printable letter GPT-2's vocabulary writes for each byte."""
    out, n = {}, 0
    for b in range(256):
        if 33 <= b <= 126 or 161 <= b <= 172 or 174 <= b <= 255:
            out[b] = chr(b)
        else:
            out[b] = chr(256 + n)
            n += 1
    return out


LETTER = byte_letters()
BYTE = {c: b for b, c in LETTER.items()}


def pieces(text):
    """Cuts text where the pre-tokenizer does: digits one by one, then GPT-2's rule."""
    out = []
    for part in re.split(r"(\d)", text):
        i, n = 0, len(part)
        while i < n:
            for end in ("'s", "'t", "'re", "'ve", "'m", "'ll", "'d"):
                if part.startswith(end, i):
                    j = i + len(end)
                    break
            else:
                j = i + (part[i] == " " and i + 1 < n and not part[i + 1].isspace())
                if part[j].isspace():
                    while j < n and part[j].isspace():
                        j += 1
                    if j < n and j - i > 1:
                        j -= 1
                else:
                    letters = part[j].isalpha()
                    digit = part[j].isdigit()
                    while j < n and not part[j].isspace() and part[j].isalpha() == letters and part[j].isdigit() == digit:
                        j += 1
            out.append(part[i:j])
            i = j
    return out


def letters(piece):
    return [LETTER[b] for b in piece.encode()]


def join(word, pair):
    out, i = [], 0
    while i < len(word):
        if i + 1 < len(word) and (word[i], word[i + 1]) == pair:
            out.append(word[i] + word[i + 1])
            i += 2
        else:
            out.append(word[i])
            i += 1
    return out


def corpus():
    """Every word the model may say or be asked, with a weight."""
    n = Counter()
    def add(text, weight):
        for p in pieces(text):
            n[p] += weight
    for i, name in enumerate(sentences.NAMES):
        for look in ("blurred", "busy"):
            add(" " + sentences.sentence((None, [], (look, "all", i, i, -1))), 2)
            add(" " + sentences.sentence((None, [], (look, "v", i, i, -1))), 2)
            add(" " + sentences.sentence((None, [], (look, "h", i, i, -1))), 2)
            add(" " + sentences.sentence((None, [], (look, "form", i, i, 4))), 2)
        for kind in ("plain", "textured"):
            add(" " + sentences.sentence(((kind, i), [], None)), 2)
        for way in "hv":
            add(" " + sentences.sentence((("fade", i, i, way), [], None)), 2)
        for s in range(4):
            for f in range(7):
                for p in range(9):
                    add(" " + sentences.sentence((("plain", i), [(s, i, f, p)], None)), 3)
    add(sentences.DEFAULT_PROMPT, 5000)
    for p in sentences.PROMPTS:
        add(p, 20)
    add("User:", 5000)
    add("Assistant:", 5000)
    n["\n\n"] += 5000
    return n


def learn():
    """The merges, in order, that make one token of every word of the corpus."""
    words = [[letters(p), c] for p, c in sorted(corpus().items())]
    merges = []
    while True:
        pairs = Counter()
        for w, c in words:
            for pair in zip(w, w[1:]):
                pairs[pair] += c
        if not pairs:
            return merges
        best = min(pairs, key=lambda p: (-pairs[p], p))
        merges.append(best)
        for entry in words:
            entry[0] = join(entry[0], best)


class Tokenizer:
    def __init__(self):
        self.merges = learn()
        self.tokens = BEFORE + [LETTER[b] for b in range(256)] + [a + b for a, b in self.merges] + AFTER
        self.ids = {t: i for i, t in enumerate(self.tokens)}
        assert len(self.ids) == len(self.tokens)
        self.rank = {m: i for i, m in enumerate(self.merges)}
        self.eos = self.ids["<end_of_utterance>"]
        self.cache = {}

    def word(self, piece):
        if piece not in self.cache:
            w = letters(piece)
            while len(w) > 1:
                best = min(zip(w, w[1:]), key=lambda p: self.rank.get(p, 1 << 30))
                if best not in self.rank:
                    break
                w = join(w, best)
            self.cache[piece] = [self.ids[t] for t in w]
        return self.cache[piece]

    def encode(self, text):
        """Tokens of a text in which special tokens are written out."""
        out = []
        for part in _special.split(text):
            if part in self.ids and part in SPECIAL:
                out.append(self.ids[part])
            else:
                for p in pieces(part):
                    out += self.word(p)
        return out

    def decode(self, ids):
        """Text of the tokens, special ones left out."""
        text = "".join(self.tokens[i] for i in ids if self.tokens[i] not in SPECIAL)
        return bytes(BYTE[c] for c in text).decode("utf-8", "replace")


IMAGE = -1   # stands for one image embedding in a prompt


def prompt_ids(tok, rows, cols, tile_tokens, prompt=sentences.DEFAULT_PROMPT):
    """The whole prompt of a picture, IMAGE where embeddings go. Text between two markers is tokenised in one go."""
    out, text = [], "<|im_start|>User:"
    for r in range(1, rows + 1):
        for c in range(1, cols + 1):
            out += tok.encode(f"{text}<fake_token_around_image><row_{r}_col_{c}>") + [IMAGE] * tile_tokens
            text = ""
        text = "\n"
    if rows:
        text += "\n"
    out += tok.encode(text + "<fake_token_around_image><global-img>") + [IMAGE] * tile_tokens
    return out + tok.encode(f"<fake_token_around_image>{prompt}<end_of_utterance>\nAssistant:")
