"""Contact sheets: clips as rows of frames, with a caption above each row, in one PNG."""
import functools

import numpy as np
from PIL import Image, ImageDraw, ImageFont

FONTS = ("NotoSansCJK-Regular.ttc", "NotoSansCJKjp-Regular.otf", "DroidSansFallbackFull.ttf", "wqy-microhei.ttc", "msgothic.ttc", "Arial Unicode.ttf",
         "DejaVuSans.ttf")  # of the system's the first that is there, those with Chinese before others


@functools.cache
def _font() -> ImageFont.ImageFont:
    for name in FONTS:
        try:
            return ImageFont.truetype(name, 11)
        except OSError:
            continue
    return ImageFont.load_default()


def _readable(text: str) -> str:
    """The text, with the code of what the font has no picture of in its place."""
    font = _font()
    if not isinstance(font, ImageFont.FreeTypeFont):
        return text if text.isascii() else text.encode("unicode_escape").decode()
    missing = font.getmask("\uffff").getbbox(), bytes(font.getmask("\uffff"))
    shown = lambda c: c == " " or (font.getmask(c).getbbox(), bytes(font.getmask(c))) != missing
    return "".join(c if shown(c) else c.encode("unicode_escape").decode() for c in text)


def sheet(clips, captions, path, columns: int = 6, zoom: int = 2) -> None:
    """clips: list of uint8 [frames, H, W, 3]; captions: one string a clip."""
    rows = []
    for clip, caption in zip(clips, captions):
        picks = np.linspace(0, len(clip) - 1, columns).round().astype(int)
        strip = np.concatenate([clip[i] for i in picks], axis=1).repeat(zoom, 0).repeat(zoom, 1)
        row = Image.new("RGB", (strip.shape[1], strip.shape[0] + 14), "white")
        row.paste(Image.fromarray(strip), (0, 14))
        ImageDraw.Draw(row).text((2, 0), _readable(caption), fill="black", font=_font())
        rows.append(row)
    out = Image.new("RGB", (max(r.width for r in rows), sum(r.height for r in rows)), "white")
    top = 0
    for row in rows:
        out.paste(row, (0, top))
        top += row.height
    out.save(path)
