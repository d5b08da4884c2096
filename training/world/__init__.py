"""The procedural world: random scenes, and the compiled renderer that ray-marches them.

A scene is a row of SCENE (a NumPy structured type, the C struct of motion.h).
Clips are uint8 [n, frames, height, width, 3], RGB.
"""
import ctypes
import hashlib
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

SUBJECTS = ["boat", "balloon", "house", "car", "fish", "rocket", "snowman", "tree", "star", "heart",
            "robot", "lighthouse", "bird", "ball", "cube", "mushroom", "duck", "airplane", "flower", "ghost"]
COLOURS = ["red", "orange", "yellow", "green", "blue", "purple", "pink", "white", "black", "turquoise"]
MATERIALS = ["matte", "shiny", "glass", "glowing"]
MOTIONS = ["left", "right", "bounce", "spin", "rise", "fall", "sway", "pulse", "orbit", "zigzag", "approach", "split"]
PLACES = ["sea", "desert", "meadow", "snow", "city", "space", "underwater", "mountains"]
TIMES = ["morning", "day", "sunset", "night"]
WEATHERS = ["clear", "rain", "snow", "fog"]
CAMERAS = ["still", "pan", "in", "out", "orbit", "crane"]
LOOKS = ["natural", "toon", "ink"]
RELATIONS = ["alone", "beside", "above", "chasing"]
ATTRIBUTES = {"subject": SUBJECTS, "colour": COLOURS, "material": MATERIALS, "motion": MOTIONS, "place": PLACES, "time": TIMES,
              "weather": WEATHERS, "camera": CAMERAS, "look": LOOKS, "relation": RELATIONS, "subject2": SUBJECTS, "colour2": COLOURS}
FPS = 16
FRAMES = 33
WIDTH, HEIGHT = 128, 80

# How often each value occurs; what is missing does not. An edition teaches one of these.
WHOLE = {a: {v: 1.0 for v in values} for a, values in ATTRIBUTES.items()} | {
    "material": {"matte": 6, "shiny": 1, "glass": 1, "glowing": 1}, "weather": {"clear": 5, "rain": 1, "snow": 1, "fog": 1},
    "camera": {"still": 5, "pan": 1, "in": 1, "out": 1, "orbit": 1, "crane": 1}, "look": {"natural": 6, "toon": 1, "ink": 1},
    "relation": {"alone": 7, "beside": 1, "above": 1, "chasing": 1}}

# What two CPU cores can teach in some hours: fewer things, drawn well.
SMALL = WHOLE | {
    "subject": dict.fromkeys(["boat", "balloon", "house", "car", "fish", "rocket", "snowman", "tree", "star", "heart", "duck", "ghost"], 1),
    "colour": dict.fromkeys(COLOURS[:8], 1), "material": {"matte": 1},
    "motion": dict.fromkeys(["left", "right", "bounce", "spin", "rise", "fall", "sway", "pulse", "orbit", "split"], 1),
    "weather": {"clear": 7, "rain": 1, "snow": 1, "fog": 1}, "camera": {"still": 7, "pan": 1, "in": 1, "out": 1},
    "look": {"natural": 1}, "relation": {"alone": 9, "beside": 0.5, "chasing": 0.5}}
SMALL |= {"subject2": SMALL["subject"], "colour2": SMALL["colour"]}

SCENE = np.dtype([(a, "<i4") for a in ATTRIBUTES] + [(k, "<f4") for k in ("size", "x", "yaw", "speed", "phase", "scenery")])
_HERE = Path(__file__).parent


def _library() -> ctypes.CDLL:
    """Compile the renderer once per source text, into training/build/."""
    source = b"".join((_HERE / f).read_bytes() for f in ("sdf.h", "subjects.h", "motion.h", "scenery.h", "shade.h", "render.cpp"))
    path = _HERE.parent / "build" / f"world-{hashlib.sha256(source).hexdigest()[:12]}.so"
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        temporary = path.with_suffix(f".{os.getpid()}.tmp")  # two processes may come at once
        subprocess.run(["g++", "-std=c++17", "-O3", "-march=native", "-mprefer-vector-width=512", "-ffast-math", "-fopenmp-simd", "-shared", "-fPIC",
                        str(_HERE / "render.cpp"), "-o", str(temporary)], check=True)
        temporary.rename(path)
    return ctypes.CDLL(str(path))


_LIB = None


def sample_scenes(n: int, rng: np.random.Generator, world: dict = WHOLE, **fixed: int) -> np.ndarray:
    """n random scenes [n] of SCENE out of `world`; `fixed` pins attributes to a value's index, as far as it can be seen there."""
    s = np.zeros(n, SCENE)
    for name, values in ATTRIBUTES.items():
        odds = np.array([world[name].get(v, 0.0) for v in values])
        s[name] = fixed[name] if name in fixed else rng.choice(len(values), n, p=odds / odds.sum())
    u = lambda lo, hi: rng.uniform(lo, hi, n).astype(np.float32)
    # what nobody could see is not said either: weather where there is no air, and a spinning tree looks the same all round
    s["weather"][np.isin(s["place"], [PLACES.index("space"), PLACES.index("underwater")])] = WEATHERS.index("clear")
    s["motion"][(s["subject"] == SUBJECTS.index("tree")) & (s["motion"] == MOTIONS.index("spin"))] = MOTIONS.index("sway")
    motion, chasing = s["motion"], s["relation"] == RELATIONS.index("chasing")
    motion[chasing & (motion != 0)] = 1  # who chases runs left or right
    s["size"] = u(0.92, 1.08)
    s["x"] = np.select([motion == 0, motion == 1, np.isin(motion, [8, 10])], [u(0.05, 0.75), u(-0.75, -0.05), 0], u(-0.3, 0.3))
    s["yaw"] = u(-0.45, 0.45)
    s["speed"], s["scenery"] = u(0.85, 1.15), np.floor(u(0, 4)) * 1.7
    s["phase"] = np.where(np.isin(motion, [7, 10]), u(-0.08, 0.12), u(0, 1))
    s["phase"] = np.where(motion == 3, u(-0.25, 0.25), s["phase"])
    return s


# What a scene has that no caption says, in so many steps each: `details` reads them.
DETAILS = {"x": 8, "yaw": 4, "phase": 8, "speed": 2, "scenery": 4}


def details(scenes: np.ndarray) -> np.ndarray:
    """The unsaid numbers of scenes [n], each as the step of its own range that `sample_scenes` drew it from: int [n, len(DETAILS)].

    Every combination of steps suits every scene: where x is fixed by the motion, its step follows the size.
    """
    motion = scenes["motion"]
    low = {"x": np.select([motion == 0, motion == 1], [0.05, -0.75], -0.3), "yaw": -0.45, "speed": 0.85, "scenery": 0.0,
           "phase": np.select([motion == 3, np.isin(motion, [7, 10])], [-0.25, -0.08], 0.0)}
    wide = {"x": np.where(np.isin(motion, [0, 1]), 0.7, 0.6), "yaw": 0.9, "speed": 0.3, "scenery": 4 * 1.7,
            "phase": np.select([motion == 3, np.isin(motion, [7, 10])], [0.5, 0.2], 1.0)}
    share = {k: (scenes[k] - low[k]) / wide[k] for k in DETAILS}
    share["scenery"] = share["scenery"] + 0.01  # whole steps: away from the edge
    share["x"] = np.where(np.isin(motion, [8, 10]), (scenes["size"] - 0.92) / 0.16, share["x"])
    return np.stack([np.clip((share[k] * steps).astype(int), 0, steps - 1) for k, steps in DETAILS.items()], 1)


def check_size(width: int, height: int) -> None:
    if width % 8 or height % 8 or width * height > 65536:
        raise ValueError(f"{width} x {height}: sides must be multiples of 8, with at most 65536 pixels")


def render(scenes: np.ndarray, width: int = WIDTH, height: int = HEIGHT, frames: int = FRAMES, start=0.0, masks: bool = False, fps: float = FPS):
    """Draw scenes [n] -> uint8 [n, frames, height, width, 3]; `start` in seconds, a number or [n].

    With `masks` also uint8 [n, frames, height / 8, width / 8]: how much of each cell the subjects cover.
    """
    global _LIB
    check_size(width, height)
    if _LIB is None:
        _LIB = _library()
    scenes = np.ascontiguousarray(scenes)
    n = len(scenes)
    starts = np.ascontiguousarray(np.broadcast_to(np.float32(start), (n,)))
    out = np.empty((n, frames, height, width, 3), np.uint8)
    mask = np.empty((n, frames, height // 8, width // 8), np.uint8)

    def draw(i: int, k: int) -> None:
        pointer = lambda a: a[i:i + k].ctypes.data_as(ctypes.c_void_p)
        _LIB.render(pointer(scenes), pointer(starts), len(scenes[i:i + k]), frames, height, width, ctypes.c_float(fps), pointer(out), pointer(mask))

    if n < 8:
        draw(0, n)
    else:  # the compiled code leaves Python's lock alone
        with ThreadPoolExecutor(os.cpu_count()) as workers:
            list(workers.map(lambda i: draw(i, 4), range(0, n, 4)))
    return (out, mask) if masks else out
