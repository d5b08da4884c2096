"""The stages as a person runs them, with tiny settings: their logs, their plots, and several processes."""
import json
import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from training import data, plot, tokens, train, windows
from training.progress import Progress
from training.taehv import CONFIG, TAEHV
from training.train_ae import RUNS
from training.world import DETAILS, SMALL, details, render, sample_scenes


def test_progress_counts_earlier_sessions_and_logs_lines(tmp_path):
    progress = Progress(2, spent=60, log=tmp_path / "log.jsonl", every=0)
    assert 0.5 <= progress.done < 0.6 and progress.due()
    progress.line(mean=1.5)
    assert json.loads((tmp_path / "log.jsonl").read_text())["mean"] == 1.5
    minutes, values = plot.curves(tmp_path / "log.jsonl", ["mean", "psnr"])["mean"]
    assert values == (1.5,) and 1 <= minutes[0] < 1.1


def test_the_learning_rate_warms_up_stays_and_falls():
    assert train.learning_rate(0, 0.1) < 0.02
    assert train.learning_rate(500, 0.1) == train.learning_rate(500, train.HALF - 0.01) == pytest.approx(1)
    assert train.learning_rate(500, train.HALF) == train.learning_rate(500, train.FALL) == pytest.approx(0.36)
    assert train.learning_rate(500, 0.94) > train.learning_rate(500, 0.97) > train.learning_rate(500, 1.0) > 0


def test_first_blocks_have_one_level_each():
    torch.manual_seed(0)
    x0, cells = torch.randn(2, 24, 3, 6, 8), torch.rand(2, 3, 6, 8)
    x, t, frames, plan, target, sigma, cover = windows.first_blocks(x0, cells)
    assert torch.allclose(x - sigma[:, None, :, None, None] * target, x0, atol=1e-5)
    assert len(sigma.unique()) == 2 and torch.equal(t, 1000 * sigma) and frames.tolist() == [0, 1, 2] and len(plan) == 1
    assert cover.mean() == pytest.approx(1, abs=1e-5) and cover.shape == (2, 1, 3, 6, 8)


def test_details_are_told_before_the_caption_where_there_is_room(tmp_path):
    tokenizer = tokens.build(tmp_path / "tokenizer.json")
    groups = tokens.detail_ids(tokenizer)
    assert [len(g) for g in groups] == list(DETAILS.values()) and groups[0][0] == tokenizer.get_vocab_size()
    ids = torch.zeros(2, 12, dtype=torch.long)
    ids[0, :4], ids[1, :9] = torch.tensor([5, 6, 7, 1]), torch.arange(9, 0, -1)
    told = tokens.with_details(ids, torch.tensor([[7, 3, 0, 1, 2], [0, 0, 0, 0, 0]]), groups[0][0])
    assert told[0].tolist() == [groups[0][7], groups[1][3], groups[2][0], groups[3][1], groups[4][2], 5, 6, 7, 1, 0, 0, 0]
    assert told[1].tolist() == ids[1].tolist(), "nine of twelve places leave no room for five"


def test_details_spread_over_all_their_steps_for_every_motion():
    for motion in range(12):
        steps = details(sample_scenes(400, np.random.default_rng(motion), motion=motion))
        for column, count in zip(steps.T, DETAILS.values()):
            assert set(column) == set(range(count)), (motion, count)


WATCHED = """
import sys
import torch
import torch.distributed as dist
from training import train, workers

leave, average, seen = workers.leave, workers.average_gradients, []

def averaged(model):
    average(model)
    seen.append(model)

def left():
    sums = [torch.zeros((), dtype=torch.float64) for _ in range(workers.COUNT)]
    dist.all_gather(sums, sum(p.detach().double().abs().sum() for p in seen[-1].parameters()))
    assert len({float(s) for s in sums}) == 1, f"the processes' models differ: {sums}"
    leave()

workers.leave, workers.average_gradients = left, averaged
train.main()
"""


def test_two_processes_take_the_same_steps(tmp_path):
    """torchrun's environment, two processes on one machine: one model comes out of both, though only the first one makes the clips."""
    (tmp_path / "watched.py").write_text(WATCHED)
    folder = RUNS / "test-workers"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        torch.save({"model": TAEHV(CONFIG).state_dict(), "config": CONFIG}, folder / "ae.pt")
        out = subprocess.run([sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-port", "29611", str(tmp_path / "watched.py"),
                              "--preset", "smoke", "--name", folder.name, "--minutes", "0.2"],
                             env={**os.environ, "OMP_NUM_THREADS": "1", "TRAIN_ON": "cpu", "PYTHONPATH": str(RUNS.parents[1])}, capture_output=True, text=True)
        assert out.returncode == 0, out.stderr[-3000:]
        saved = torch.load(folder / "dit.pt", weights_only=False)
        assert saved["step"] > 0 and all(v.isfinite().all() for v in saved["model"].values() if v.is_floating_point())
    finally:
        for file in folder.iterdir():
            file.unlink()
        folder.rmdir()


def test_a_window_is_the_first_block_and_two_that_follow_each_other(monkeypatch, tmp_path):
    """Latents that tell their first picture's number: 0, 1, 5, 9 ... as the autoencoder groups pictures."""

    def shot(model, scenes, width, height, frames, start):
        first = torch.from_numpy(np.broadcast_to(np.asarray(start, float) * 16, len(scenes)).copy())
        numbers = first[:, None] + torch.tensor([0] + [4 * f - 3 for f in range(1, (frames + 3) // 4)])
        return numbers[:, None, :, None, None], numbers[:, :, None, None]

    monkeypatch.setattr(data, "shot", shot)
    made = data.make_windows(None, tokens.build(tmp_path / "tokenizer.json"), 90, 3)
    numbers = made["latents"][:, 0, :, 0, 0].round(decimals=3)
    assert (numbers == made["cells"][:, :, 0, 0].round(decimals=3)).all()
    assert 0 < made["fresh"].sum() < 45
    for row, fresh in zip(numbers.tolist(), made["fresh"].tolist()):
        assert row[:3] == [0, 1, 5]
        block = (row[3] + 3) / 12
        assert row[3:] == ([0, 1, 5, 9, 13, 17] if fresh else [12 * block - 3 + 4 * i for i in range(6)])
        assert fresh or block in range(1, 81)


def test_returning_subjects_are_shown_as_they_leave_or_come_back():
    rng = np.random.default_rng(5)
    scenes = sample_scenes(60, rng, SMALL, motion=rng.choice(data.LEAVING, 60), relation=0, camera=0)
    cover = lambda blocks: np.stack([render(scenes[i:i + 1], 64, 40, 24, start=(12 * b - 3) / 16, masks=True)[1].mean((2, 3))[0] for i, b in enumerate(blocks)])
    seen, any_time = cover(data.returning(scenes, rng)), cover(rng.integers(1, 80, 60))
    away = lambda c: (c.min(1) < 0.3 * c.max()).mean()
    assert away(seen) > 0.8 > 0.6 > away(any_time)


def test_windows_of_returning_subjects_are_of_later_blocks(monkeypatch, tmp_path):
    monkeypatch.setattr(data, "shot", lambda model, scenes, w, h, frames, start: (torch.zeros(len(scenes), 1, (frames + 3) // 4, 1, 1), torch.zeros(len(scenes), (frames + 3) // 4, 1, 1)))
    made = data.make_windows(None, tokens.build(tmp_path / "tokenizer.json"), 40, 3, returns=True)
    assert made["latents"].shape[2] == 9 and not made["fresh"].any() and set(made["scenes"]["motion"]) <= {*data.LEAVING, 1}
