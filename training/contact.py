"""Contact sheets: clips as rows of frames, with a caption above each row, in one PNG."""
import numpy as np
from PIL import Image, ImageDraw


def sheet(clips, captions, path, columns: int = 6, zoom: int = 2) -> None:
    """clips: list of uint8 [frames, H, W, 3]; captions: one string a clip."""
    rows = []
    for clip, caption in zip(clips, captions):
        picks = np.linspace(0, len(clip) - 1, columns).round().astype(int)
        strip = np.concatenate([clip[i] for i in picks], axis=1).repeat(zoom, 0).repeat(zoom, 1)
        row = Image.new("RGB", (strip.shape[1], strip.shape[0] + 14), "white")
        row.paste(Image.fromarray(strip), (0, 14))
        text = caption if caption.isascii() else caption.encode("unicode_escape").decode()
        ImageDraw.Draw(row).text((2, 1), text, fill="black")
        rows.append(row)
    out = Image.new("RGB", (max(r.width for r in rows), sum(r.height for r in rows)), "white")
    top = 0
    for row in rows:
        out.paste(row, (0, top))
        top += row.height
    out.save(path)
