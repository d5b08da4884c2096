"""The GPU's preset, shrunk, on the CPU: the same code from the first clip to the files that are carried away, so that a slip of the pen costs no GPU."""
import json
import shutil
import sys

import numpy as np
import pytest
import torch

from training import checkpoint, data, device, distill, precision, pretrain_text, stream, tokens, train, train_ae, umt5, wan, workers
from training.stream import Stream
from training.taehv import CONFIG, TAEHV
from training.world import ATTRIBUTES

TINY = {"sizes": [(64, 48, 1), (48, 64, 1)], "ring": {"clips": 7, "beginnings": 14, "windows": 21}, "fresh": {"clips": 1, "beginnings": 3, "windows": 3}}


def run(monkeypatch, stage, *options: str) -> None:
    monkeypatch.setattr(sys, "argv", ["stage", *options])
    stage.main()


def stop_at_second():
    """Somebody who stops a training after its first line."""
    lines = []

    def line(*_):
        if lines:
            raise KeyboardInterrupt
        return lines.append(1) or {}

    return line


@pytest.fixture
def folder():
    folder = train_ae.RUNS / "test-gpu"
    shutil.rmtree(folder, ignore_errors=True)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def test_the_whole_chain_runs_goes_on_and_is_carried_away(folder, monkeypatch, tmp_path):
    small = lambda stage, **changes: monkeypatch.setitem(stage.PRESETS, "gpu", {**stage.PRESETS["gpu"], **changes})
    small(train_ae, batch=2, crop=32, frames=5, pool=9, polish=(2, 48, 5), size=(96, 64), fresh=1)
    small(pretrain_text, batch=16, pool=200, held=6, report=0, warmup=2)
    small(train, batch=2, stream=TINY)
    monkeypatch.setattr(checkpoint, "FOLDER", tmp_path)
    options = ("--preset", "gpu", "--name", folder.name, "--minutes", "0.03")
    run(monkeypatch, train_ae, *options)
    run(monkeypatch, train_ae, *options, "--decoder")
    run(monkeypatch, pretrain_text, *options)
    run(monkeypatch, train, *options)
    first = torch.load(folder / "dit.pt", weights_only=False)
    assert first["step"] > 0 and not (folder / "data.pt").exists(), "clips are not stored"
    assert first["text_config"]["d_model"] == first["dit_config"]["text_dim"] == train.GPU_TEXT["d_model"]
    run(monkeypatch, train, *options[:-1], str(first["spent"] / 60 + 0.03))
    second = torch.load(folder / "dit.pt", weights_only=False)
    assert second["step"] > first["step"] and torch.equal(second["model"]["mean"], first["model"]["mean"])
    assert all(v.isfinite().all() for v in second["ema"].values())
    with monkeypatch.context() as stopped, pytest.raises(KeyboardInterrupt):
        stopped.setattr(distill.Progress, "due", lambda self: True)
        stopped.setattr(distill, "report_line", stop_at_second())
        run(monkeypatch, distill, *options[:-1], "9")
    assert torch.load(folder / "distill.pt", weights_only=False)["step"] == 1 and not (folder / "guided.pt").exists()
    run(monkeypatch, distill, *options[:-1], "0.2")
    assert torch.load(folder / "guided.pt", weights_only=False)["step"] > 1 and train.load(folder, "guided.pt") and not (folder / "distill.pt").exists()

    monkeypatch.setattr(sys, "argv", ["checkpoint", "--name", folder.name])
    files = checkpoint.save(folder.name)
    assert 3 <= len(files) <= 8 and all(f.stat().st_size <= 16 * 2 ** 20 for f in files), [f.stat().st_size for f in files]
    shutil.rmtree(folder)  # another machine, which has the files alone
    run(monkeypatch, train, *options[:-1], str(second["spent"] / 60 + 0.03))
    third = torch.load(folder / "dit.pt", weights_only=False)
    assert third["step"] > second["step"] and third["warmed"] == second["step"] and third["spent"] > second["spent"]

    files[-1].unlink()
    with pytest.raises(FileNotFoundError, match="there are only"):
        checkpoint.read(folder.name, "dit")


def test_what_takes_more_files_than_can_be_carried_is_refused(folder, monkeypatch, tmp_path):
    monkeypatch.setattr(checkpoint, "FOLDER", tmp_path)
    monkeypatch.setattr(checkpoint, "LIMIT", 1000)
    folder.mkdir(parents=True)
    torch.save({"model": {}, "config": {}}, folder / "ae.pt")
    torch.save({"ema": {f"p{i}": torch.zeros(400) for i in range(9)}, "text_config": {}, "dit_config": {}, "step": 1, "spent": 1.0}, folder / "dit.pt")
    with pytest.raises(ValueError, match="takes 10 files .* 8 can be carried"):
        checkpoint.save(folder.name)
    assert not list(tmp_path.iterdir())


def test_all_of_it_takes_32_megabytes():
    """As export.py writes it: matrices as q8_0, 34 bytes for 32 weights; the rest in float32, and the autoencoder in float16."""
    def size(state: dict) -> float:
        return sum(v.numel() * (34 / 32 if v.ndim == 2 and v.shape[1] % 32 == 0 and "scale_shift" not in k else 4) for k, v in state.items())

    text = {**umt5.CONFIG, **train.GPU_TEXT}
    assert train.GPU_TEXT == pretrain_text.PRESETS["gpu"]["text"]
    networks = size(umt5.UMT5(text).state_dict()) + size(wan.WanTransformer({**wan.CONFIG, **train.GPU_DIT, "text_dim": text["d_model"]}).state_dict())
    total = networks + 2 * sum(v.numel() for v in TAEHV(CONFIG).state_dict().values())
    print(f"{total / 1e6:.1f} MB")
    assert 24e6 < total < 32e6


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    torch.manual_seed(0)
    made = Stream(TAEHV(CONFIG).eval(), tokens.build(tmp_path_factory.mktemp("stream") / "tokenizer.json"), **TINY, seed=[1, 0])
    made.normalise(*made.statistics())
    return made


def test_a_stream_shows_new_clips_with_every_step(running):
    before = [{name: ring["latents"].clone() for name, ring in running._rings(d).items()} for d in running.data]
    shown = [running.next() for _ in range(12)]
    assert {id(d) for d in shown} == {id(d) for d in running.data}, "both sizes come"
    for d, old in zip(running.data, before):
        rings = running._rings(d)
        assert all((rings[name]["latents"] != old[name]).any() for name in ("clips", "beginnings", "later"))
        changed = (rings["beginnings"]["latents"] != old["beginnings"]).flatten(1).any(1).float().mean()
        assert changed > 0.6, "they go round"
        assert 0.6 < rings["clips"]["latents"].float().std() < 1.6, "new clips are in the same units as the first"
        assert rings["later"]["chances"].sum() == pytest.approx(1, abs=1e-4)
        assert not rings["later"]["fresh"].any() and rings["second"]["fresh"].all() and rings["beginnings"]["fresh"].all()


def test_other_processes_and_sessions_see_other_clips(running):
    other = Stream(running.model, running.tokenizer, **{**TINY, "ring": {"clips": 7, "beginnings": 7, "windows": 21}}, seed=[1, 1])
    other.normalise(*running.statistics())
    assert (other.data[0]["sets"][0]["latents"][:3] != running.data[0]["sets"][0]["latents"][:3]).any()


def test_combinations_that_are_held_out_never_come(monkeypatch, running, tmp_path):
    everything = np.arange(np.prod([len(ATTRIBUTES[a]) for a in data.TOGETHER]))
    np.save(tmp_path / "held.npy", everything[everything % 2 == 0])
    monkeypatch.setattr(data, "HELD_OUT", tmp_path / "held.npy")
    seen = []
    monkeypatch.setattr(stream, "taught", lambda made: seen.append(data.taught(made)) or seen[-1])
    running.next()
    assert len(seen) == 3 and all((data.combination(s["scenes"]) % 2 == 1).all() for s in seen)


def test_the_device_is_what_there_is_or_what_is_asked_for(monkeypatch):
    monkeypatch.delenv("TRAIN_ON", raising=False)
    ask = device.device.__wrapped__
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert ask() == torch.device("cpu")
    monkeypatch.setenv("TRAIN_ON", "cuda")
    with pytest.raises(SystemExit, match="finds no CUDA device"):
        ask()
    monkeypatch.setenv("TRAIN_ON", "gpu")
    with pytest.raises(SystemExit, match="may be cpu or cuda"):
        ask()
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setenv("TRAIN_ON", "cpu")
    assert ask() == torch.device("cpu")
    monkeypatch.setenv("TRAIN_ON", "")
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert ask() == torch.device("cuda", 1)
    monkeypatch.setenv("LOCAL_RANK", "2")
    with pytest.raises(SystemExit, match="--nproc-per-node 2"):
        ask()


def test_on_a_gpu_products_are_bfloat16_and_processes_meet_over_nccl(monkeypatch):
    for module in (precision, workers):
        monkeypatch.setattr(module, "device", lambda: torch.device("cuda", 0))
    monkeypatch.setattr(workers, "COUNT", 2)
    asked = []
    monkeypatch.setattr(workers.dist, "init_process_group", asked.append)
    workers.join()
    assert precision.fastest.__wrapped__() is torch.bfloat16 and asked == ["nccl"]
