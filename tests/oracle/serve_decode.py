# SPDX-License-Identifier: Apache-2.0
"""decode_tool --serve, seen from Python, and Pillow's answer to the same question."""
import io
import re
import subprocess
import warnings

import numpy as np
from PIL import Image, ImageFile, ImageOps

warnings.simplefilter("ignore")  # Pillow's, of EXIF, alpha and sizes
MODES = {1: "L", 3: "RGB", 4: "RGBA"}
CODES = {-3: "DATA", -4: "IO", -5: "MEMORY", -6: "LIMIT"}


class Refused(Exception):
    """No pixels: .code is a name of CODES, .text a sentence."""

    def __init__(self, code, text):
        super().__init__(f"{code}: {text}")
        self.code, self.text = code, text


class Decoder:
    """The decode_tool program, which serves one request after the other; engine: auto, libjpeg."""

    def __init__(self, tool, engine="auto"):
        self.engine = engine
        self.process = subprocess.Popen([tool, "--serve", engine], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)

    def ask(self, kind, payload, c, bits, roi):
        line = f"{kind} {len(payload)} {c} {bits} {' '.join(map(str, roi or (0, 0, 0, 0)))}\n"
        try:
            self.process.stdin.write(line.encode() + payload)
            self.process.stdin.flush()
        except BrokenPipeError:
            pass
        head = self.process.stdout.readline().split()
        if len(head) != 4:
            raise SystemExit(f"the decoder died of it, with exit status {self.process.wait()}")
        code, n, w, h = map(int, head)
        data = self.process.stdout.read(n)
        if code < 0:
            raise Refused(CODES.get(code, str(code)), data.decode())
        return np.frombuffer(data, np.uint8 if bits == 8 else np.uint16).reshape(h, w, c)

    def decode(self, data, c=3, bits=8, roi=None):
        return self.ask("bytes", data, c, bits, roi)

    def decode_file(self, path, c=3, bits=8, roi=None):
        return self.ask("file", str(path).encode(), c, bits, roi)

    def close(self):
        self.process.stdin.close()
        return self.process.wait()


def pillow(data, c=3, forgiving=False):
    """What Pillow makes of it; forgiving: a file that ends early is filled up with gray."""
    ImageFile.LOAD_TRUNCATED_IMAGES = forgiving
    image = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    if image.mode.startswith("I"):  # 16-bit gray, which convert() would clip: its high byte
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    image = image.convert(MODES[c])
    return np.asarray(image).reshape(image.height, image.width, c)


def turned(pixels, data):
    """Pixels as stored, shown as the EXIF block of `data` says, if Pillow finds one."""
    try:
        orientation = Image.open(io.BytesIO(data)).getexif().get(0x0112, 1)
    except Exception:  # of many kinds, when the file is damaged
        orientation = 1
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return pixels


def outcome(decoder, data, **how):
    """The pixels, or "CODE: sentence"."""
    try:
        return decoder.decode(data, **how)
    except Refused as refused:
        return str(refused)


def matches(refused, code, pattern):
    return refused.code == code and re.search(pattern, refused.text) is not None
