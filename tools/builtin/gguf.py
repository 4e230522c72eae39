"""Writes GGUF version 3: header, metadata, tensor table, tensors, all little-endian and aligned to 32 bytes."""
import struct

import numpy as np

ALIGN = 32
U32, I32, F32, BOOL, STRING, ARRAY = 4, 5, 6, 7, 8, 9
TENSOR_TYPE = {np.dtype(np.float32): 0, np.dtype(np.float16): 1}


def text(s):
    b = s.encode()
    return struct.pack("<Q", len(b)) + b


def scalar(kind, v):
    if kind == STRING:
        return text(v)
    return struct.pack({U32: "<I", I32: "<i", F32: "<f", BOOL: "<?"}[kind], v)


def value(v):
    """The metadata value of a Python value: bool, int (u32), float, str, or (kind, list)."""
    if isinstance(v, tuple):
        kind, items = v
        return struct.pack("<IIQ", ARRAY, kind, len(items)) + b"".join(scalar(kind, x) for x in items)
    kind = BOOL if isinstance(v, bool) else U32 if isinstance(v, int) else F32 if isinstance(v, float) else STRING
    return struct.pack("<I", kind) + scalar(kind, v)


def pad(n):
    return -n % ALIGN


def write(path, metadata, tensors):
    """metadata: {key: value}; tensors: {name: float32 or float16 array, last axis contiguous}."""
    head = struct.pack("<IIQQ", 0x46554747, 3, len(tensors), len(metadata))
    for k, v in metadata.items():
        head += text(k) + value(v)
    offset = 0
    for name, a in tensors.items():
        head += text(name) + struct.pack("<I", a.ndim)
        head += b"".join(struct.pack("<Q", n) for n in reversed(a.shape))      # GGUF counts the fastest axis first
        head += struct.pack("<IQ", TENSOR_TYPE[a.dtype], offset)
        offset += a.nbytes + pad(a.nbytes)
    with open(path, "wb") as f:
        f.write(head + b"\0" * pad(len(head)))
        for a in tensors.values():
            f.write(np.ascontiguousarray(a).tobytes() + b"\0" * pad(a.nbytes))
