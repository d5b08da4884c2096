"""Exports Pocket to ONNX for the CPU backend: python -m training.export_onnx [--model DIR] [--check].

Three graphs, and a fourth where the model has an encoder, beside the checkpoint, made of the very weights that the page's own kernels use (q8_0 stays 8 bit:
int8 with an f32 scale per 32, expanded by DequantizeLinear when a session opens):

  onnx/text_encoder.onnx   input_ids [1, L] int64 -> context [1, text_len, D], the text MLP included
  onnx/transformer.onnx    latents [1, C, F, h, w], timesteps [1, F], context, first_frame [1] int64,
                           past_k and past_v [layers, heads, M, d] -> flow, k and v [layers, heads, N, d]
  onnx/decoder.onnx        latents [1, C, F, h, w] normalised, memory_0 ... [1, width, h, w]
                           -> frames [4 F, 3, 8 h, 8 w], new_memory_0 ...
  onnx/encoder.onnx        frames [4 F, 3, 8 h, 8 w] in [0, 1], memory_0 ... [1, width, h, w]
                           -> latents [1, C, F, h, w] normalised, new_memory_0 ...

and `onnx` with `files` in model.json. Each is compared with PyTorch before it is kept.
"""
import argparse
import json
from pathlib import Path

import gguf
import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper

from .export import TARGET, entry
from .pocket import Pocket
from .taehv import MemBlock, TGrow

OPSET = 21  # the first whose DequantizeLinear knows blocks
BLOCK = 32


class Text(torch.nn.Module):
    def __init__(self, pocket: Pocket):
        super().__init__()
        self.text, self.dit = pocket.text, pocket.dit

    def forward(self, input_ids):
        return self.dit.text(self.text(input_ids))


class Transformer(torch.nn.Module):
    def __init__(self, pocket: Pocket):
        super().__init__()
        self.dit = pocket.dit

    def forward(self, latents, timesteps, context, first_frame, past_k, past_v):
        frames = torch.arange(latents.shape[2]) + first_frame
        caches = [(k[None], v[None]) for k, v in zip(past_k.unbind(0), past_v.unbind(0))]
        flow, own = self.dit(latents, timesteps, context, frames, caches=caches)
        return flow, torch.cat([k for k, _ in own]), torch.cat([v for _, v in own])


class Decoder(torch.nn.Module):
    def __init__(self, pocket: Pocket):
        super().__init__()
        self.layers, self.patch = pocket.autoencoder.decoder, pocket.autoencoder.patch
        self.register_buffer("mean", pocket.mean)
        self.register_buffer("std", pocket.std)

    def forward(self, latents, *memory):
        x = (latents[0] * self.std[:, None, None, None] + self.mean[:, None, None, None]).transpose(0, 1)
        out, memory = [], list(memory)
        for layer in self.layers:
            if isinstance(layer, MemBlock):
                past = torch.cat([memory.pop(0), x[:-1]])
                out.append(x[-1:])
                x = layer(x, past)
            elif isinstance(layer, TGrow):
                x = layer.conv(x).unflatten(1, (layer.stride, -1)).flatten(0, 1)
            elif not isinstance(layer, torch.nn.Upsample) or layer.scale_factor != 1:
                x = layer(x)
        return torch.nn.functional.pixel_shuffle(x, self.patch).clamp(0, 1), *out


class Encoder(torch.nn.Module):
    """As the decoder, the other way: a MemBlock's memory is what it saw of the latent before, zeros before the first."""

    def __init__(self, pocket: Pocket):
        super().__init__()
        self.encoder = pocket.autoencoder.encoder
        self.register_buffer("mean", pocket.mean)
        self.register_buffer("std", pocket.std)

    def forward(self, frames, *memory):
        cells = torch.nn.functional.pixel_unshuffle(frames, 8).unflatten(0, (-1, 4)).flatten(1, 2)  # [F, 768, h, w]
        x, out = torch.relu(self.encoder.wide(cells)), []
        for block, before in zip(self.encoder.blocks, memory):
            past = torch.cat([before, x[:-1]])
            out.append(x[-1:])
            x = block(x, past)
        latents = (self.encoder.linear(cells) + self.encoder.out(x)).transpose(0, 1)
        return ((latents - self.mean[:, None, None, None]) / self.std[:, None, None, None])[None], *out


def quantised(path: Path) -> dict:
    """The q8_0 tensors of a GGUF file: name -> (int8 [N, K], f32 scales [N, K / 32])."""
    out = {}
    for t in gguf.GGUFReader(str(path)).tensors:
        if t.tensor_type != gguf.GGMLQuantizationType.Q8_0:
            continue
        rows = int(t.shape[1])
        blocks = np.ascontiguousarray(t.data).reshape(rows, -1, 2 + BLOCK)
        scales = np.ascontiguousarray(blocks[:, :, :2]).view(np.float16)[:, :, 0].astype(np.float32)
        out[t.name] = (np.ascontiguousarray(blocks[:, :, 2:]).view(np.int8).reshape(rows, -1), scales)
    return out


def keep_8_bit(model: onnx.ModelProto, weights: dict) -> int:
    """Replaces f32 initialisers that are dequantised q8_0 weights, as they are or transposed; how many."""
    by_value = {}
    for name, (q, scales) in weights.items():
        full = (q.reshape(len(q), -1, BLOCK) * scales[:, :, None]).reshape(q.shape).astype(np.float32)
        by_value[full.tobytes()] = (name, q, scales, 1)
        by_value[np.ascontiguousarray(full.T).tobytes()] = (name, np.ascontiguousarray(q.T), np.ascontiguousarray(scales.T), 0)
    graph, kept, nodes, done = model.graph, [], [], 0
    for tensor in graph.initializer:
        found = tensor.data_type == TensorProto.FLOAT and by_value.get(numpy_helper.to_array(tensor).tobytes())
        if not found:
            kept.append(tensor)
            continue
        _, q, scales, axis = found
        kept += [numpy_helper.from_array(q, f"{tensor.name}.q"), numpy_helper.from_array(scales, f"{tensor.name}.scale")]
        nodes.append(helper.make_node("DequantizeLinear", [f"{tensor.name}.q", f"{tensor.name}.scale"], [tensor.name], axis=axis, block_size=BLOCK))
        done += 1
    del graph.initializer[:]
    graph.initializer.extend(kept)
    old = list(graph.node)
    del graph.node[:]
    graph.node.extend(nodes + old)
    return done


def halve(model: onnx.ModelProto) -> int:
    """Large f32 initialisers become f16, as in the safetensors file, and are cast back when a session opens; how many."""
    kept, nodes = [], []
    for tensor in model.graph.initializer:
        value = numpy_helper.to_array(tensor)
        if tensor.data_type != TensorProto.FLOAT or value.size < 1024:
            kept.append(tensor)
            continue
        kept.append(numpy_helper.from_array(value.astype(np.float16), f"{tensor.name}.half"))
        nodes.append(helper.make_node("Cast", [f"{tensor.name}.half"], [tensor.name], to=TensorProto.FLOAT))
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)
    old = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend(nodes + old)
    return len(nodes)


def export(module, inputs: dict, outputs: list, dynamic: dict, path: Path) -> onnx.ModelProto:
    program = torch.onnx.export(
        module.eval(), tuple(inputs.values()), input_names=list(inputs), output_names=outputs,
        dynamic_shapes=dynamic, opset_version=OPSET, dynamo=True, optimize=True, verbose=False)
    program.save(str(path), include_initializers=True, external_data=False)
    model = onnx.load(str(path))
    del model.metadata_props[:]
    model.graph.ClearField("value_info")
    model.graph.doc_string = ""
    for node in model.graph.node:  # the exporter leaves stack traces, with this machine's paths
        node.doc_string = ""
        del node.metadata_props[:]
    for part in [*model.graph.input, *model.graph.output, *model.graph.initializer]:
        part.doc_string = ""
        del part.metadata_props[:]
    return model


def compare(path: Path, module, inputs: dict, tolerance: float = 2e-4) -> float:
    """Largest difference between onnxruntime and PyTorch over all outputs, relative to their spread. Throws over it."""
    options = onnxruntime.SessionOptions()
    # Without it 8-bit weights make onnxruntime round the activations to 8 bits as well.
    options.add_session_config_entry("session.qdq_matmulnbits_accuracy_level", "1")
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    found = session.run(None, {k: v.numpy() for k, v in inputs.items()})
    with torch.no_grad():
        wanted = module(*inputs.values())
    wanted = wanted if isinstance(wanted, tuple) else (wanted,)
    worst = max(float(np.abs(f - w.numpy()).max() / (w.std() + 1e-6)) for f, w in zip(found, wanted))
    assert len(found) == len(wanted) and worst < tolerance, f"{path.name}: {worst} from PyTorch"
    return worst


def graphs(pocket: Pocket):
    """(name, module, example inputs, other inputs of other sizes, output names, dynamic axes, weights) of each graph."""
    c = pocket.dit.config
    layers, heads, size, z = c["num_layers"], c["num_attention_heads"], c["attention_head_dim"], c["in_channels"]
    d = heads * size
    length = torch.export.Dim("length", min=1, max=c["text_len"])
    f, h, w, past = (torch.export.Dim.AUTO for _ in range(4))

    def text(n):
        return {"input_ids": torch.cat([torch.randint(3, 200, (1, n - 1)), torch.ones(1, 1, dtype=torch.long)], 1)}

    def step(frames, rows, columns, before):
        kv = lambda: torch.randn(layers, heads, before * rows * columns // 4, size)
        return {"latents": torch.randn(1, z, frames, rows, columns), "timesteps": torch.rand(1, frames) * 1000,
                "context": torch.randn(1, c["text_len"], d), "first_frame": torch.tensor([before]), "past_k": kv(), "past_v": kv()}

    widths = [m.conv[2].in_channels for m in pocket.autoencoder.decoder if isinstance(m, MemBlock)]

    def latents(frames, rows, columns):
        memory = {f"memory_{i}": torch.randn(1, n, rows, columns).relu() for i, n in enumerate(widths)}
        return {"latents": torch.randn(1, z, frames, rows, columns), **memory}

    yield ("text_encoder", Text(pocket), text(9), text(3), ["context"], {"input_ids": {1: length}}, "text_encoder")
    yield ("transformer", Transformer(pocket), step(3, 8, 12, 3), step(2, 10, 6, 0), ["flow", "k", "v"],
           {"latents": {2: f, 3: h, 4: w}, "timesteps": {1: f}, "context": None, "first_frame": None, "past_k": {2: past}, "past_v": {2: past}}, "transformer")
    grid = {2: torch.export.Dim.AUTO, 3: torch.export.Dim.AUTO}
    yield ("decoder", Decoder(pocket), latents(3, 8, 12), latents(1, 5, 4),
           ["frames", *(f"new_memory_{i}" for i in range(len(widths)))],
           {"latents": {2: f, 3: h, 4: w}, "memory": tuple(grid for _ in widths)}, None)
    if not pocket.encodes:
        return
    seen = [block.conv[2].in_channels for block in pocket.autoencoder.encoder.blocks]
    rows_, columns_ = torch.export.Dim("h", min=1, max=512), torch.export.Dim("w", min=1, max=512)

    def frames(rows, columns):
        memory = {f"memory_{i}": torch.randn(1, n, rows, columns).relu() for i, n in enumerate(seen)}
        return {"frames": torch.rand(4, 3, 8 * rows, 8 * columns), **memory}

    yield ("encoder", Encoder(pocket), frames(8, 12), frames(5, 4),
           ["latents", *(f"new_memory_{i}" for i in range(len(seen)))],
           {"frames": {2: 8 * rows_, 3: 8 * columns_}, "memory": tuple({2: rows_, 3: columns_} for _ in seen)}, None)


def write(pocket: Pocket, folder: Path, weights: dict) -> dict:
    """Writes folder/onnx and returns what model.json says of it. weights: the q8_0 tensors of the transformer's and the text encoder's file."""
    (folder / "onnx").mkdir(parents=True, exist_ok=True)
    document = {"files": []}
    for name, module, inputs, others, outputs, dynamic, source in graphs(pocket):
        path = folder / "onnx" / f"{name}.onnx"
        model = export(module, inputs, outputs, dynamic, path)
        small = keep_8_bit(model, weights) if source else halve(model)
        temporary = path.with_suffix(".tmp")
        onnx.save(model, str(temporary))
        worst = max(compare(temporary, module, case) for case in (inputs, others))
        temporary.replace(path)
        data = path.read_bytes()
        document["files"].append(entry(f"onnx/{name}.onnx", data))
        document[name] = f"onnx/{name}.onnx"
        print(json.dumps({"file": path.name, "bytes": len(data), "8-bit" if source else "16-bit": small, "from PyTorch": worst}), flush=True)
    return document


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", type=Path, default=TARGET)
    arguments = parser.parse_args()
    torch.manual_seed(0)
    pocket = Pocket(arguments.model)
    parts = pocket.model["components"]
    weights = {}  # the text MLP lives in the transformer's file
    for name in ("text_encoder", "transformer"):
        weights |= quantised(arguments.model / parts[name]["file"])
    document = json.loads((arguments.model / "model.json").read_text())
    document["onnx"] = write(pocket, arguments.model, weights)
    temporary = arguments.model / "model.json.tmp"
    temporary.write_text(json.dumps(document, ensure_ascii=False, indent=1))
    temporary.replace(arguments.model / "model.json")


if __name__ == "__main__":
    main()
