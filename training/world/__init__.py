"""The procedural world: random scenes, and the compiled renderer that draws them.

A scene is a row of SCENE (a NumPy structured type, the C struct of world.h).
Clips are uint8 [n, frames, height, width, 3], RGB.
"""
import ctypes
import hashlib
import subprocess
from pathlib import Path

import numpy as np

SUBJECTS = ["boat", "balloon", "house", "car", "fish", "rocket", "snowman", "tree", "star", "heart"]
COLOURS = ["red", "orange", "yellow", "green", "blue", "purple", "pink", "white"]
MOTIONS = ["left", "right", "bounce", "spin", "rise", "sink", "sway", "grow"]
PLACES = ["sea", "desert", "meadow", "snow", "city", "space"]
TIMES = ["day", "sunset", "night"]
ATTRIBUTES = {"subject": SUBJECTS, "colour": COLOURS, "motion": MOTIONS, "place": PLACES, "time": TIMES}
FPS = 16
FRAMES = 33

SCENE = np.dtype([(a, "<i4") for a in ATTRIBUTES] + [(k, "<f4") for k in ("size", "x", "y", "speed", "phase", "scenery")])
_HERE = Path(__file__).parent


def _library() -> ctypes.CDLL:
    """Compile the renderer once per source text, into training/build/."""
    source = (_HERE / "world.h").read_bytes() + (_HERE / "render.cpp").read_bytes()
    path = _HERE.parent / "build" / f"world-{hashlib.sha256(source).hexdigest()[:12]}.so"
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        temporary = path.with_suffix(".tmp")
        subprocess.run(["g++", "-O3", "-march=native", "-ffast-math", "-shared", "-fPIC",
                        str(_HERE / "render.cpp"), "-o", str(temporary)], check=True)
        temporary.rename(path)
    return ctypes.CDLL(str(path))


_LIB = None


def sample_scenes(n: int, rng: np.random.Generator, width: int = 96, height: int = 64, **fixed: int) -> np.ndarray:
    """n random scenes [n] of SCENE; `fixed` pins attributes to a value's index."""
    s = np.zeros(n, SCENE)
    for name, values in ATTRIBUTES.items():
        s[name] = fixed[name] if name in fixed else rng.integers(0, len(values), n)
    u = lambda lo, hi: rng.uniform(lo, hi, n).astype(np.float32)
    motion = s["motion"]
    half_w, half_h = 0.5 * width / min(width, height), 0.5 * height / min(width, height)
    s["size"] = np.where(motion == 2, u(0.46, 0.54), np.where(motion == 7, u(0.56, 0.64), u(0.54, 0.64)))
    wide = np.isin(s["subject"], [0, 3, 4])  # boat, car and fish are wider than high
    s["size"] *= np.where(wide & (s["subject"] != 0), 0.95, 1.0)
    s["x"] = u(-0.2, 0.2) * (2 * half_w) * np.where(np.isin(motion, [0, 1]), 0, 0.6)
    s["x"] += np.where(motion == 0, u(-0.05, 0.55), np.where(motion == 1, u(-0.55, 0.05), 0)) * half_w
    s["y"] = -half_h + 0.17 + 0.5 * s["size"] + u(0.0, 0.06)
    s["y"] += np.where(motion == 3, 0.05, 0)
    s["y"] = np.where(motion == 4, u(-0.45, 0.05), np.where(motion == 5, u(-0.05, 0.45), s["y"])) * np.where(np.isin(motion, [4, 5]), half_h, 1)
    s["speed"], s["phase"], s["scenery"] = u(0.85, 1.15), u(0, 1), np.floor(u(0, 4)) * 1.7
    s["phase"] = np.where(np.isin(motion, [3, 7]), u(-0.1, 0.1), s["phase"])
    return s


def render(scenes: np.ndarray, width: int = 96, height: int = 64, frames: int = FRAMES, start=0.0) -> np.ndarray:
    """Draw scenes [n] -> uint8 [n, frames, height, width, 3]; `start` in seconds, a number or [n]."""
    global _LIB
    if _LIB is None:
        _LIB = _library()
    scenes = np.ascontiguousarray(scenes)
    n = len(scenes)
    starts = np.ascontiguousarray(np.broadcast_to(np.float32(start), (n,)))
    out = np.empty((n, frames, height, width, 3), np.uint8)
    _LIB.render(scenes.ctypes.data_as(ctypes.c_void_p), starts.ctypes.data_as(ctypes.c_void_p), n, frames,
                height, width, ctypes.c_float(FPS), out.ctypes.data_as(ctypes.c_void_p))
    return out
