# Makes animations that begin blank. Needs python3-pil, apngasm, avifenc.
from PIL import Image, ImageDraw
import subprocess
im = Image.open('upright.png').convert('RGB'); W, H = im.size
white = Image.new('RGB', (W, H), 'white'); clear = Image.new('RGBA', (W, H), (0, 0, 0, 0))
cut = clear.copy(); ImageDraw.Draw(cut).ellipse([50, 37, 250, 237], fill=(220, 20, 20, 255))
fade = [Image.blend(white, im, a) for a in (.03, .1, .3, 1)]
clear.save('clear.webp', save_all=True, append_images=[cut], duration=100, lossless=True)
white.save('fade_lossy.webp', save_all=True, append_images=fade, duration=100, quality=60)
white.save('a0.png'); fade[0].save('a1.png'); im.save('a2.png'); clear.save('c0.png'); cut.save('c1.png')
run = lambda c: subprocess.run(c, shell=True, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
run('apngasm fade.png a0.png a1.png a2.png 1 10'); run('apngasm clear.png c0.png c1.png 1 10')
run('avifenc -s 8 a2.png a1.png a0.png sequence.avif')  # the brand avis; the first frame is not blank
