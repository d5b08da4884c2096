"""The renderer on a GPU: render.cu, compiled at run time by NVRTC, which comes with PyTorch's CUDA wheels, and started through the driver.

Both are called by their C interfaces: no toolkit, no compiler and no further package is needed.
"""
import ctypes
import functools
import importlib.util
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from . import FPS, FRAMES, HEIGHT, SCENE, WIDTH, check_size

_HERE = Path(__file__).parent
# Division and roots may be off in the last bit; sines may not: what is scattered (stars, flakes) comes of their last digits.
OPTIONS = ("--std=c++17", "--prec-div=false", "--prec-sqrt=false", "--ftz=true")
PICTURES = 4096  # at a time: more gains nothing, and the count of hits takes a byte a pixel


def _check(what: str, result: int, log: str = "") -> None:
    if result != 0:
        raise RuntimeError(f"{what} gave error {result}; the world cannot be drawn on this GPU. TRAIN_ON=cpu trains without it. {log}")


def nvrtc() -> ctypes.CDLL:
    """The runtime compiler of this PyTorch; OSError where there is none."""
    major = (torch.version.cuda or "12").split(".")[0]
    wheels = importlib.util.find_spec("nvidia")  # the folder that NVIDIA's wheels share, beside torch's
    found = [str(p) for root in (wheels.submodule_search_locations if wheels else ()) for p in sorted(Path(root).glob("*/lib/libnvrtc.so*"))]
    for name in [f"libnvrtc.so.{major}", *found, "libnvrtc.so"]:
        try:
            return ctypes.CDLL(name)
        except OSError:
            continue
    raise OSError(f"no libnvrtc.so.{major}: PyTorch's CUDA wheels bring it, and so does the package nvidia-cuda-nvrtc")


def compile_for(capability: str) -> bytes:
    """render.cu as machine code for a compute capability such as "90"."""
    library, program, size = nvrtc(), ctypes.c_void_p(), ctypes.c_size_t()
    _check("nvrtcCreateProgram", library.nvrtcCreateProgram(ctypes.byref(program), (_HERE / "render.cu").read_bytes(), b"render.cu", 0, None, None))
    options = [f"--gpu-architecture=sm_{capability}".encode(), f"-I{_HERE}".encode(), *(o.encode() for o in OPTIONS)]
    result = library.nvrtcCompileProgram(program, len(options), (ctypes.c_char_p * len(options))(*options))
    library.nvrtcGetProgramLogSize(program, ctypes.byref(size))
    log = ctypes.create_string_buffer(max(1, size.value))
    library.nvrtcGetProgramLog(program, log)
    _check("compiling render.cu", result, log.value.decode())
    _check("nvrtcGetCUBINSize", library.nvrtcGetCUBINSize(program, ctypes.byref(size)))
    code = ctypes.create_string_buffer(size.value)
    _check("nvrtcGetCUBIN", library.nvrtcGetCUBIN(program, code))
    library.nvrtcDestroyProgram(ctypes.byref(program))
    return code.raw


def driver() -> ctypes.CDLL:
    return ctypes.CDLL("libcuda.so.1")


@functools.cache
def _kernel(device: torch.device) -> tuple:
    """(driver, the kernel in this device's context)."""
    cuda, module, kernel = driver(), ctypes.c_void_p(), ctypes.c_void_p()
    code = compile_for("{}{}".format(*torch.cuda.get_device_capability(device)))
    _check("cuModuleLoadData", cuda.cuModuleLoadData(ctypes.byref(module), code))
    _check("cuModuleGetFunction", cuda.cuModuleGetFunction(ctypes.byref(kernel), module, b"render"))
    return cuda, kernel


def _launch(kernel: tuple, stream: int, pictures: int, scenes, times, out, hits, frames: int, height: int, width: int) -> None:
    """One launch over `pictures` frames; tensors on the device, contiguous."""
    arguments = [*(ctypes.c_void_p(t.data_ptr()) for t in (scenes, times, out, hits)), *map(ctypes.c_int, (frames, height, width))]
    pointers = (ctypes.c_void_p * len(arguments))(*(ctypes.addressof(a) for a in arguments))
    cuda, function = kernel
    _check("cuLaunchKernel", cuda.cuLaunchKernel(function, pictures, width // 8, height // 8, 8, 8, 1, 0, ctypes.c_void_p(stream), pointers, None))


def render(scenes: np.ndarray, width: int = WIDTH, height: int = HEIGHT, frames: int = FRAMES, start=0.0, masks: bool = False, fps: float = FPS,
           device: torch.device | str = "cuda:0"):
    """As `world.render`, with the same arguments; the clips, and the masks where asked for, are uint8 tensors on the device.

    Call it from the thread that began with the device: the kernel is started in that thread's context."""
    check_size(width, height)
    device, n = torch.device(device), len(scenes)
    starts = np.broadcast_to(np.float32(start), (n,))
    times = (starts[:, None] + np.arange(frames, dtype=np.float32) / np.float32(fps)).astype(np.float32)
    scenes = np.ascontiguousarray(scenes, SCENE)
    out = torch.empty(n, frames, height, width, 3, dtype=torch.uint8, device=device)
    mask = torch.empty(n, frames, height // 8, width // 8, dtype=torch.uint8, device=device)
    stream, kernel, many = _stream(device), _kernel(device), max(1, PICTURES // frames)
    for i in range(0, n, many):
        part = slice(i, i + many)
        rows = torch.from_numpy(scenes[part].view(np.uint8).reshape(-1, SCENE.itemsize).copy()).to(device)
        at = torch.from_numpy(times[part].copy()).to(device)
        hits = torch.empty(out[part].shape[:-1], dtype=torch.uint8, device=device)
        _launch(kernel, stream, len(rows) * frames, rows, at, out[part], hits, frames, height, width)
        mask[part] = (F.avg_pool2d(hits.float(), 8) * (255 / 4) + 0.5).byte()
    return (out, mask) if masks else out


def _stream(device: torch.device) -> int:
    torch.cuda.set_device(device)
    return torch.cuda.current_stream(device).cuda_stream
