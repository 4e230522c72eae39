"""SmolVLM in miniature: the very graph llama.cpp runs for `clip`/idefics3 plus `llama`, in PyTorch."""
import math
from dataclasses import asdict, dataclass

import torch
import torch.nn.functional as F
from torch import nn


@dataclass
class Config:
    """Every number that ends up in the GGUF metadata."""
    tile: int = 128          # clip.vision.image_size
    longest: int = 512       # clip.vision.preproc_image_size
    patch: int = 16
    shuffle: int = 2         # pixel shuffle: shuffle*shuffle patches become one token
    v_hidden: int = 160
    v_layers: int = 5
    v_heads: int = 5
    v_ffn: int = 480
    v_eps: float = 1e-6
    t_hidden: int = 128
    t_layers: int = 4
    t_heads: int = 4
    t_kv_heads: int = 2
    t_ffn: int = 384
    t_eps: float = 1e-5
    rope_base: float = 10000.0
    context: int = 2048
    vocab: int = 0

    @property
    def side(self):
        return self.tile // self.patch

    @property
    def tile_tokens(self):
        return (self.side // self.shuffle) ** 2

    def dict(self):
        return asdict(self)


def attend(q, k, v, mask=None):
    """Plain attention over [batch, heads, tokens, head dim]."""
    s = q @ k.transpose(-1, -2) * (1.0 / math.sqrt(q.shape[-1]))
    if mask is not None:
        s = s + mask
    return torch.softmax(s.float(), -1) @ v


class VisionBlock(nn.Module):
    def __init__(self, c):
        super().__init__()
        h = c.v_hidden
        self.heads = c.v_heads
        self.ln1 = nn.LayerNorm(h, eps=c.v_eps)
        self.ln2 = nn.LayerNorm(h, eps=c.v_eps)
        self.q, self.k, self.v, self.o = (nn.Linear(h, h) for _ in range(4))
        self.up = nn.Linear(h, c.v_ffn)
        self.down = nn.Linear(c.v_ffn, h)

    def forward(self, x):
        b, n, h = x.shape
        y = self.ln1(x)
        q, k, v = (f(y).view(b, n, self.heads, -1).transpose(1, 2) for f in (self.q, self.k, self.v))
        x = x + self.o(attend(q, k, v).transpose(1, 2).reshape(b, n, h))
        # clip.use_gelu=true is ggml_gelu: the tanh form
        return x + self.down(F.gelu(self.up(self.ln2(x)).float(), approximate="tanh"))


def waves(side, h):
    """Sines and cosines of row and column: patches that are neighbours start out alike."""
    q = h // 4
    f = math.pi * 2.0 ** (0.5 - torch.arange(q) / q * math.log2(4.0 * side))
    x = torch.arange(side)[:, None] * f
    x = torch.cat((x.sin(), x.cos()), 1)
    return torch.cat((x[:, None].expand(side, side, -1), x[None].expand(side, side, -1)), -1).reshape(side * side, h)


class Vision(nn.Module):
    """Pixels [tiles, 3, tile, tile] in -1..1 to patch features, and on to image embeddings."""
    def __init__(self, c):
        super().__init__()
        self.c = c
        self.patch = nn.Linear(3 * c.patch * c.patch, c.v_hidden)   # the convolution, unrolled
        self.pos = nn.Parameter(waves(c.side, c.v_hidden))              # learned from a good start
        self.blocks = nn.ModuleList(VisionBlock(c) for _ in range(c.v_layers))
        self.post = nn.LayerNorm(c.v_hidden, eps=c.v_eps)
        self.fc = nn.Linear(c.v_hidden * c.shuffle * c.shuffle, c.t_hidden, bias=False)

    def features(self, pixels):
        c, s, p = self.c, self.c.side, self.c.patch
        b = pixels.shape[0]
        x = pixels.view(b, 3, s, p, s, p).permute(0, 2, 4, 1, 3, 5).reshape(b, s * s, 3 * p * p)
        x = self.patch(x) + self.pos
        for blk in self.blocks:
            x = blk(x)
        return self.post(x)

    def connect(self, x):
        """Pixel shuffle and projection. Within a token the patches come row by row."""
        c, s, f = self.c, self.c.side, self.c.shuffle
        b, h = x.shape[0], c.v_hidden
        x = x.view(b, s // f, f, s // f, f, h).permute(0, 1, 3, 2, 4, 5)
        return self.fc(x.reshape(b, (s // f) ** 2, f * f * h))

    def forward(self, pixels):
        return self.connect(self.features(pixels))


class RMSNorm(nn.Module):
    def __init__(self, h, eps):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(h))
        self.eps = eps

    def forward(self, x):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.eps) * self.weight


def rope_table(c, n):
    d = c.t_hidden // c.t_heads
    f = c.rope_base ** (-torch.arange(0, d, 2, dtype=torch.float64) / d)
    a = torch.arange(n, dtype=torch.float64)[:, None] * f[None]
    return a.cos().float(), a.sin().float()


def rope(x, cos, sin):
    """Turns the pairs (0,1), (2,3), … as llama.cpp's NORM style does."""
    a, b = x[..., 0::2], x[..., 1::2]
    return torch.stack((a * cos - b * sin, a * sin + b * cos), -1).flatten(-2)


class TextBlock(nn.Module):
    def __init__(self, c):
        super().__init__()
        h, d = c.t_hidden, c.t_hidden // c.t_heads
        self.heads, self.kv, self.d = c.t_heads, c.t_kv_heads, d
        self.norm1, self.norm2 = RMSNorm(h, c.t_eps), RMSNorm(h, c.t_eps)
        self.q = nn.Linear(h, h, bias=False)
        self.k = nn.Linear(h, c.t_kv_heads * d, bias=False)
        self.v = nn.Linear(h, c.t_kv_heads * d, bias=False)
        self.o = nn.Linear(h, h, bias=False)
        self.gate = nn.Linear(h, c.t_ffn, bias=False)
        self.up = nn.Linear(h, c.t_ffn, bias=False)
        self.down = nn.Linear(c.t_ffn, h, bias=False)

    def forward(self, x, cos, sin, mask, past=None):
        b, n, h = x.shape
        y = self.norm1(x)
        q = rope(self.q(y).view(b, n, self.heads, self.d).transpose(1, 2), cos, sin)
        k = rope(self.k(y).view(b, n, self.kv, self.d).transpose(1, 2), cos, sin)
        v = self.v(y).view(b, n, self.kv, self.d).transpose(1, 2)
        if past is not None:
            if past:
                k, v = torch.cat((past[0], k), 2), torch.cat((past[1], v), 2)
            past[:] = [k, v]
        rep = self.heads // self.kv
        k, v = k.repeat_interleave(rep, 1), v.repeat_interleave(rep, 1)
        x = x + self.o(attend(q, k, v, mask).transpose(1, 2).reshape(b, n, h))
        y = self.norm2(x)
        return x + self.down(F.silu(self.gate(y).float()) * self.up(y))


class Text(nn.Module):
    """A llama: embeddings in, hidden states or logits out; input and output embeddings are tied."""
    def __init__(self, c):
        super().__init__()
        self.c = c
        self.embed = nn.Embedding(c.vocab, c.t_hidden)
        self.blocks = nn.ModuleList(TextBlock(c) for _ in range(c.t_layers))
        self.norm = RMSNorm(c.t_hidden, c.t_eps)
        cos, sin = rope_table(c, c.context)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)

    def forward(self, x, past=None, start=0):
        n = x.shape[1]
        mask = torch.full((n, start + n), float("-inf")).triu(start + 1) if n > 1 else None   # none sees what follows
        cos, sin = self.cos[start:start + n], self.sin[start:start + n]
        for i, blk in enumerate(self.blocks):
            x = blk(x, cos, sin, mask, None if past is None else past[i])
        return self.norm(x)

    def logits(self, h):
        return h @ self.embed.weight.t()


class Model(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.c = c
        self.vision = Vision(c)
        self.text = Text(c)
        for m in self.modules():
            if isinstance(m, (nn.Linear, nn.Embedding)):
                nn.init.normal_(m.weight, std=0.02 if isinstance(m, nn.Embedding) else m.weight.shape[1] ** -0.5 * 0.8)
                if getattr(m, "bias", None) is not None:
                    nn.init.zeros_(m.bias)
        for blk in list(self.vision.blocks) + list(self.text.blocks):
            for m in (blk.o, blk.down):
                m.weight.data.mul_(0.4)


def round_to_f16(model):
    """Rounds to what the GGUF files hold: matrices F16, vectors and the position embedding F32."""
    with torch.no_grad():
        for name, p in model.named_parameters():
            if p.dim() >= 2 and name != "vision.pos":
                p.copy_(p.half().float())
    return model
