# Makes HEIC files as iPhones with iOS 18 write them. Needs heif-enc, python3-pil.
import os, struct, subprocess, io
from PIL import Image, ImageDraw
W, H = 512, 384
im = Image.new('RGB', (W*4, H*4), 'white'); ImageDraw.Draw(im).ellipse([200, 150, 1000, 950], fill=(220, 20, 20)); im = im.resize((W, H), Image.LANCZOS)
im.save('upright.png')
def sh(c): subprocess.run(c, shell=True, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
def boxes(d, lo, hi):
    while lo < hi:
        n, t = struct.unpack('>I4s', d[lo:lo+8]); yield t, lo, lo+n; lo += n
def enc(img, name, q=40):
    "coded picture, hvcC box"
    img.save(name + '.png'); sh(f'heif-enc -q {q} {name}.png -o {name}.heic')
    d = open(name + '.heic', 'rb').read()
    meta = [x for x in boxes(d, 0, len(d)) if x[0] == b'meta'][0]
    kids = {t: (a, b) for t, a, b in boxes(d, meta[1]+12, meta[2])}
    a, b = kids[b'iprp']; ipco = [x for x in boxes(d, a+8, b) if x[0] == b'ipco'][0]
    hvcc = [d[p:q] for t, p, q in boxes(d, ipco[1]+8, ipco[2]) if t == b'hvcC'][0]
    mdat = [x for x in boxes(d, 0, len(d)) if x[0] == b'mdat'][0]
    return d[mdat[1]+8:mdat[2]], hvcc
def box(t, c): return struct.pack('>I4s', len(c)+8, t) + c
def full(t, c, v=0, f=0): return box(t, struct.pack('>I', v << 24 | f) + c)
class File:
    def __init__(s, wide=False):
        s.items = []; s.props = []; s.assoc = {}; s.refs = []; s.wide = wide; s.primary = 1; s.extra = b''; s.hidden = set(); s.last0 = False; s.junk = b''
    def prop(s, b):
        if b not in s.props: s.props.append(b)
        return s.props.index(b) + 1
    def item(s, id, typ, data, props=(), hidden=False):
        s.items.append((id, typ, data)); s.assoc[id] = [s.prop(p) for p in props]
        if hidden: s.hidden.add(id)
    def ref(s, kind, frm, *to): s.refs.append((kind, frm, to))
    def write(s, name):
        I = '>I' if s.wide else '>H'
        infe = b''.join(full(b'infe', struct.pack(I, i) + b'\0\0' + t + b'\0' + (b'application/rdf+xml\0' if t == b'mime' else b''), 3 if s.wide else 2, int(i in s.hidden)) for i, t, d in s.items)
        iinf = full(b'iinf', struct.pack('>H', len(s.items)) + infe)
        iref = full(b'iref', b''.join(box(k, struct.pack(I, f) + struct.pack('>H', len(t)) + b''.join(struct.pack(I, x) for x in t)) for k, f, t in s.refs), int(s.wide))
        ipco = box(b'ipco', b''.join(s.props))
        ipma = full(b'ipma', struct.pack('>I', len(s.assoc)) + b''.join(struct.pack(I, i) + bytes([len(p)]) + bytes(p) for i, p in sorted(s.assoc.items())), int(s.wide))
        idat = b''.join(d for i, t, d in s.items if t in (b'grid', b'iden'))
        pitm = full(b'pitm', struct.pack(I, s.primary), int(s.wide))
        hdlr = full(b'hdlr', b'\0\0\0\0pict' + bytes(13))
        ftyp = box(b'ftyp', b'heic\0\0\0\0mif1MiHBMiHEmiafheictmap')
        for off in (0, 1):
            loc = b''; at = 0; ia = 0
            for i, t, d in s.items:
                if t in (b'grid', b'iden'): m, o = 1, ia; ia += len(d)
                else: m, o = 0, at; at += len(d)
                if m == 0: o += base if off else 0
                loc += struct.pack(I, i) + struct.pack('>HHHII', m, 0, 1, o, len(d))
            iloc = full(b'iloc', b'\x44\0' + struct.pack(I, len(s.items)) + loc, 2 if s.wide else 1)
            meta = full(b'meta', hdlr + pitm + iinf + iref + box(b'iprp', ipco + ipma) + box(b'idat', idat) + iloc + s.extra)
            base = len(ftyp) + len(meta) + 8
        data = b''.join(d for i, t, d in s.items if t not in (b'grid', b'iden'))
        mdat = struct.pack('>I4s', 0 if s.last0 else len(data)+8, b'mdat') + data
        open(name, 'wb').write(ftyp + meta + mdat)
ispe = lambda w, h: full(b'ispe', struct.pack('>II', w, h))
pixi = full(b'pixi', b'\x03\x08\x08\x08')
irot = lambda n: box(b'irot', bytes([n]))
colr = box(b'colr', b'nclx\0\x01\0\x0d\0\x06\x80')
auxc = lambda t: full(b'auxC', t + b'\0')
GAIN = auxc(b'urn:com:apple:photo:2020:aux:hdrgainmap'); ALPHA = auxc(b'urn:mpeg:hevc:2015:auxid:1'); DEPTH = auxc(b'urn:mpeg:hevc:2015:auxid:2')
exif = b'\0\0\0\x06Exif\0\0MM\0*\0\0\0\x08\0\x02\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\x01\x32\0\x02\0\0\0\x14\0\0\0\x26\0\0\0\0' + b'2024:10:05 12:34:56\0'
xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"></x:xmpmeta>'
tmap = bytes(62)
stored = im.rotate(-90, expand=True)  # 384 x 512, on its side as the sensor is
tiles = Image.new('RGB', (512, 512), 'white'); tiles.paste(stored, (0, 0))
T = [enc(tiles.crop((x, y, x+256, y+256)), 't%d%d' % (x, y)) for y in (0, 256) for x in (0, 256)]
gain = enc(Image.new('RGB', (96, 128), (60, 60, 60)), 'gain', 20)
thumb = enc(stored.resize((96, 128)), 'thumb', 20)
def iphone(wide=False, gainrefs=(49, 60), exifrefs=(49, 60), primary=49, **k):
    f = File(wide); f.primary = primary
    for i, (d, h) in enumerate(T): f.item(1+i, b'hvc1', d, (h, ispe(256, 256), colr), True)
    f.item(49, b'grid', struct.pack('>BBBBHH', 0, 0, 1, 1, 384, 512), (ispe(384, 512), colr, pixi, irot(1)))
    f.item(50, b'hvc1', thumb[0], (thumb[1], ispe(96, 128), irot(1)))
    f.item(51, b'hvc1', gain[0], (gain[1], ispe(96, 128), GAIN), True)
    f.item(52, b'Exif', exif, (), True); f.item(53, b'mime', xmp, (), True)
    f.item(60, b'tmap', tmap, (ispe(384, 512), colr, irot(1)))
    f.ref(b'dimg', 49, 1, 2, 3, 4); f.ref(b'dimg', 60, 49, 51)
    f.ref(b'thmb', 50, *k.get('thumbrefs', (49,))); f.ref(b'auxl', 51, *gainrefs)
    f.ref(b'cdsc', 52, *exifrefs); f.ref(b'cdsc', 53, 51)
    f.extra = box(b'grpl', full(b'altr', struct.pack('>IIII', 100, 2, 60, 49)))
    f.last0 = k.get('last0', False)
    return f
iphone().write('iphone.heic')
iphone(gainrefs=(60, 49), exifrefs=(60,), thumbrefs=(49, 60)).write('tone_map_first.heic')
iphone(primary=60).write('tone_map_main.heic')
iphone(wide=True, last0=True).write('wide_and_to_the_end.heic')
iphone(gainrefs=(49,), exifrefs=(49,)).write('plain.heic')
# Alpha and depth that belong to the picture and to a tone map; the picture alone.
hole = Image.new('RGB', (W, H), 'black'); hole.paste(im.crop((20, 20, 300, 300)), (20, 20))
mask = Image.new('RGB', (W, H), 'black'); ImageDraw.Draw(mask).rectangle([20, 20, 299, 299], fill='white')
c, a = enc(hole, 'hole'), enc(mask.convert('L'), 'mask')
f = File(); f.item(1, b'hvc1', c[0], (c[1], ispe(W, H), colr, pixi)); f.item(2, b'hvc1', a[0], (a[1], ispe(W, H), ALPHA), True)
f.item(3, b'hvc1', gain[0], (gain[1], ispe(96, 128), DEPTH), True); f.item(4, b'tmap', tmap, (ispe(W, H),)); f.item(5, b'Exif', exif.replace(b'\x01\x12\0\x03\0\0\0\x01\0\x06', b'\x01\x12\0\x03\0\0\0\x01\0\x01'))
f.ref(b'auxl', 2, 1, 4); f.ref(b'auxl', 3, 4, 1); f.ref(b'dimg', 4, 1, 3); f.ref(b'cdsc', 5, 4)
f.write('alpha_and_depth.heic')
# A profile of sRGB and code points that contradict it (linear).
from PIL import ImageCms
icc = ImageCms.ImageCmsProfile(ImageCms.createProfile('sRGB')).tobytes()
p = enc(im, 'pic'); f = File(); f.item(1, b'hvc1', p[0], (p[1], ispe(W, H), box(b'colr', b'prof' + icc), box(b'colr', b'nclx\0\x01\0\x08\0\x06\x80')))
f.ref(b'dimg', 9, 1); f.write('../hdr-transfer/profile_and_code_points.heic')
