"""Makes tests/bench/models/*.onnx: single operations for the peer of `npm run bench`, a few hundred bytes each.

    python training/goldens/make_bench_models.py

Needs onnx. Weights are inputs, so that the peer gets what our kernels get; sizes are dynamic.
"""

from pathlib import Path

import onnx
from onnx import TensorProto, helper

FOLDER = Path(__file__).parents[2] / "tests" / "bench" / "models"
OPSETS = [helper.make_opsetid("", 21), helper.make_opsetid("com.microsoft", 1)]


def save(name, op, inputs, ranks, domain="", types=None, rank=2, **attributes):
    types = types or {}
    value = lambda n, r: helper.make_tensor_value_info(n, types.get(n, TensorProto.FLOAT), [f"{n}{i}" for i in range(r)])
    node = helper.make_node(op, inputs, ["out"], domain=domain, **attributes)
    graph = helper.make_graph([node], name, [value(n, r) for n, r in zip(inputs, ranks)], [value("out", rank)])
    model = helper.make_model(graph, opset_imports=OPSETS, ir_version=10, producer_name="kinora")
    (FOLDER / f"{name}.onnx").write_bytes(model.SerializeToString())


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    save("matmul", "MatMul", ["x", "w"], [2, 2])
    for heads in (3, 12):
        save(f"attention-{heads}", "MultiHeadAttention", ["q", "k", "v"], [3, 3, 3], "com.microsoft", rank=3, num_heads=heads)
    save("conv", "Conv", ["x", "w"], [4, 4], rank=4, kernel_shape=[3, 3], pads=[1, 1, 1, 1])
    save("layer-norm", "LayerNormalization", ["x", "scale"], [2, 1], axis=-1, epsilon=1e-6)
    save("rms-norm", "SimplifiedLayerNormalization", ["x", "scale"], [2, 1], axis=-1, epsilon=1e-6)
    for n, k in ((192, 192), (768, 192), (192, 768), (1152, 192), (9216, 1536), (1536, 1536), (8960, 1536), (1536, 8960)):
        save(f"matmul-q8-{n}x{k}", "MatMulNBits", ["x", "w", "scales"], [2, 3, 1], "com.microsoft",
             {"w": TensorProto.UINT8}, N=n, K=k, bits=8, block_size=32, accuracy_level=1)


if __name__ == "__main__":
    main()
