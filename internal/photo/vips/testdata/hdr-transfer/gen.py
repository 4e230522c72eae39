# Makes pictures that signal their colours. Needs heif-enc, avifenc, python3-numpy.
import numpy as np, struct, subprocess, zlib
from PIL import Image
b = np.asarray(Image.open('upright.png').convert('RGB')) / 255.
lin = np.where(b <= .04045, b/12.92, ((b+.055)/1.055)**2.4)
M2020 = np.array([[.627404, .329283, .043313], [.069097, .919540, .011362], [.016391, .088013, .895595]])
MP3 = np.array([[.822462, .177538, 0], [.033194, .966806, 0], [.017083, .072397, .910520]])
def pq(y):  # 203 cd/m2 is 1
    y = (y*203/10000)**(2610/16384); return ((3424/4096 + 2413/4096*32*y)/(1 + 2392/4096*32*y))**(2523/4096*128)
def hlg(y):  # of a display of 1,000 cd/m2
    d = y*203/1000; l = d @ np.array([.2627, .6780, .0593]); e = d*(np.maximum(l, 1e-9)**(1/1.2-1))[..., None]
    return np.where(e <= 1/12, np.sqrt(3*e), .17883277*np.log(np.maximum(12*e-.28466892, 1e-9))+.55991073)
srgb = lambda y: np.where(y <= .0031308, y*12.92, 1.055*np.maximum(y, 1e-9)**(1/2.4)-.055)
def png16(n, v):
    a = (np.clip(v, 0, 1)*65535+.5).astype('>u2'); h, w = a.shape[:2]
    ch = lambda t, x: struct.pack('>I', len(x))+t+x+struct.pack('>I', zlib.crc32(t+x))
    open(n, 'wb').write(b'\x89PNG\r\n\x1a\n'+ch(b'IHDR', struct.pack('>IIBBBBB', w, h, 16, 2, 0, 0, 0))+ch(b'IDAT', zlib.compress(b''.join(b'\0'+r.tobytes() for r in a)))+ch(b'IEND', b''))
def sh(c): subprocess.run(c, shell=True, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
# the same picture with a strip of 4,000 cd/m2 at the bottom
bright = lin.copy(); bright[340:, :256] = 4000/203
for n, v in dict(pq=pq(lin@M2020.T), pqb=pq(bright@M2020.T), hlg=hlg(lin@M2020.T), p3=srgb(lin@MP3.T), lin=lin).items(): png16(n+'.png', v)
sh('avifenc -s 6 --min 10 --max 10 -d 12 --cicp 9/16/9 pqb.png pq12_bright.avif')
sh('avifenc -s 6 --min 10 --max 10 -d 10 --cicp 9/18/9 hlg.png hlg10.avif')
sh('avifenc -s 6 --min 10 --max 10 -d 8 --cicp 9/18/9 -r limited hlg.png hlg8.avif')
sh('avifenc -s 6 --min 10 --max 10 -d 10 --cicp 12/13/1 p3.png p3.avif')
sh('avifenc -s 6 --min 4 --max 4 -d 12 --cicp 1/8/1 lin.png linear.avif')
# This heif-enc writes no "colr" box. Code points in the HEVC stream alone, and then in a box, too.
X = lambda bits, transfer, f, out: sh(f'heif-enc -q 70 {bits} -p x265:colorprim=9 -p x265:transfer={transfer} {f} -o {out}')
X('-b 12', 'smpte2084', 'pq.png', 'pq12.heic'); X('-b 10', 'arib-std-b67', 'hlg.png', 'hlg10.heic')
Image.fromarray((pq(lin@M2020.T)*255+.5).astype('u1')).save('pq_8.png'); sh('heif-enc -q 70 pq_8.png -o plain_pq8.heic')
d = open('plain_pq8.heic', 'rb').read(); colr = struct.pack('>I4s4sHHHB', 19, b'colr', b'nclx', 9, 16, 6, 128)
def grow(d, path, at, b):  # inserts b at an offset and into the boxes that hold it
    for t in path: i = d.find(t) - 4; d = d[:i] + struct.pack('>I', struct.unpack('>I', d[i:i+4])[0] + len(b)) + d[i+4:]
    return d[:at] + b + d[at:]
i = d.find(b'ipco') - 4; n, = struct.unpack('>I', d[i:i+4]); d = grow(d, (b'meta', b'iprp', b'ipco'), i + n, colr)
i = d.find(b'ipma') + 14; count = d[i]; d = d[:i] + bytes([count+1]) + d[i+1:]; d = grow(d, (b'meta', b'iprp', b'ipma'), i + 1 + count, bytes([4]))
i = d.find(b'iloc') + 4 + 4 + 2 + 2 + 2 + 2; o, = struct.unpack('>I', d[i:i+4]); d = d[:i] + struct.pack('>I', o + len(colr) + 1) + d[i+4:]
open('pq8.heic', 'wb').write(d)
