"""Turns a checkpoint into builtin.gguf and mmproj-builtin.gguf."""
import argparse
import os

import numpy as np
import torch

import gguf
import tokenizer
from model import Config, Model, round_to_f16

HERE = os.path.dirname(os.path.abspath(__file__))
OUT = os.path.join(HERE, "..", "..", "internal", "models", "builtin")
TEMPLATE = ("<|im_start|>{% for m in messages %}{{ m['role'] | capitalize }}:{% for part in m['content'] %}"
            "{% if part['type'] == 'image' %}<image>{% else %}{{ part['text'] }}{% endif %}{% endfor %}"
            "<end_of_utterance>\n{% endfor %}{% if add_generation_prompt %}Assistant:{% endif %}")


def load(path):
    """The averaged weights of a checkpoint, rounded to what the files hold."""
    ck = torch.load(path, map_location="cpu")
    c = Config(**ck["config"])
    m = Model(c)
    m.load_state_dict(ck["model"])
    if "ema" in ck:
        with torch.no_grad():
            for p, e in zip(m.parameters(), ck["ema"]):
                p.copy_(e)
    return round_to_f16(m).eval(), ck.get("step", 0)


def general(name, kind):
    return {"general.name": name, "general.type": kind, "general.author": "the photodesc project", "general.license": "MIT",
            "general.description": "SmolVLM's architecture in miniature, trained from scratch on drawn pictures",
            "general.file_type": 1, "general.alignment": 32}


def f16(p):
    return p.detach().numpy().astype(np.float16)


def f32(p):
    return p.detach().numpy().astype(np.float32)


def write_text(m, tok, path):
    c = m.c
    kinds = [3 if t in tokenizer.SPECIAL else 1 for t in tok.tokens]        # 3: control, 1: normal
    meta = {"general.architecture": "llama", **general("photodesc builtin", "model"),
            "llama.context_length": c.context, "llama.embedding_length": c.t_hidden, "llama.block_count": c.t_layers,
            "llama.feed_forward_length": c.t_ffn, "llama.attention.head_count": c.t_heads,
            "llama.attention.head_count_kv": c.t_kv_heads, "llama.rope.dimension_count": c.t_hidden // c.t_heads,
            "llama.rope.freq_base": c.rope_base, "llama.attention.layer_norm_rms_epsilon": c.t_eps,
            "llama.vocab_size": len(tok.tokens),
            "tokenizer.ggml.model": "gpt2", "tokenizer.ggml.pre": "smollm",
            "tokenizer.ggml.tokens": (gguf.STRING, tok.tokens), "tokenizer.ggml.token_type": (gguf.I32, kinds),
            "tokenizer.ggml.merges": (gguf.STRING, [" ".join(p) for p in tok.merges]),
            "tokenizer.ggml.bos_token_id": tok.ids["<|im_start|>"], "tokenizer.ggml.eos_token_id": tok.eos,
            "tokenizer.ggml.padding_token_id": tok.ids["<|im_end|>"], "tokenizer.ggml.add_bos_token": False,
            "tokenizer.chat_template": TEMPLATE}
    t = {"token_embd.weight": f16(m.text.embed.weight), "output_norm.weight": f32(m.text.norm.weight)}
    for i, b in enumerate(m.text.blocks):
        p = f"blk.{i}."
        t[p + "attn_norm.weight"], t[p + "ffn_norm.weight"] = f32(b.norm1.weight), f32(b.norm2.weight)
        for name, layer in (("attn_q", b.q), ("attn_k", b.k), ("attn_v", b.v), ("attn_output", b.o),
                            ("ffn_gate", b.gate), ("ffn_up", b.up), ("ffn_down", b.down)):
            t[p + name + ".weight"] = f16(layer.weight)
    gguf.write(path, meta, t)


def write_vision(m, path):
    c, v = m.c, m.vision
    p = "clip.vision."
    meta = {"general.architecture": "clip", **general("photodesc builtin vision", "mmproj"),
            "clip.has_vision_encoder": True, "clip.projector_type": "idefics3", "clip.use_gelu": True,
            p + "image_size": c.tile, p + "patch_size": c.patch, p + "embedding_length": c.v_hidden,
            p + "feed_forward_length": c.v_ffn, p + "block_count": c.v_layers, p + "attention.head_count": c.v_heads,
            p + "attention.layer_norm_epsilon": c.v_eps, p + "projection_dim": c.t_hidden,
            p + "image_mean": (gguf.F32, [0.5] * 3), p + "image_std": (gguf.F32, [0.5] * 3),
            p + "projector.scale_factor": c.shuffle, p + "preproc_image_size": c.longest}
    t = {"v.patch_embd.weight": f16(v.patch.weight).reshape(c.v_hidden, 3, c.patch, c.patch),
         "v.patch_embd.bias": f32(v.patch.bias), "v.position_embd.weight": f32(v.pos)}
    for i, b in enumerate(v.blocks):
        for name, layer in (("attn_q", b.q), ("attn_k", b.k), ("attn_v", b.v), ("attn_out", b.o), ("ffn_up", b.up), ("ffn_down", b.down)):
            t[f"v.blk.{i}.{name}.weight"], t[f"v.blk.{i}.{name}.bias"] = f16(layer.weight), f32(layer.bias)
        for name, norm in (("ln1", b.ln1), ("ln2", b.ln2)):
            t[f"v.blk.{i}.{name}.weight"], t[f"v.blk.{i}.{name}.bias"] = f32(norm.weight), f32(norm.bias)
    t["v.post_ln.weight"], t["v.post_ln.bias"] = f32(v.post.weight), f32(v.post.bias)
    t["mm.model.fc.weight"] = f16(v.fc.weight)
    gguf.write(path, meta, t)


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--checkpoint", default="/tmp/photodesc-builtin/checkpoint.pt")
    p.add_argument("--out", default=OUT)
    a = p.parse_args()
    m, step = load(a.checkpoint)
    write_text(m, tokenizer.Tokenizer(), os.path.join(a.out, "builtin.gguf"))
    write_vision(m, os.path.join(a.out, "mmproj-builtin.gguf"))
    print("step", step, [os.path.getsize(os.path.join(a.out, f)) for f in ("builtin.gguf", "mmproj-builtin.gguf")])


if __name__ == "__main__":
    main()
