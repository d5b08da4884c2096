"""The kept judge: what the evaluation's figures rest on."""
import numpy as np
import torch

from training import judge
from training.world import ATTRIBUTES, SMALL, render, sample_scenes


def test_the_kept_judge_names_renders_that_it_has_not_seen():
    scenes = sample_scenes(80, np.random.default_rng(9), SMALL)
    shares = judge.table(judge.right(judge.load(), render(scenes), scenes), scenes)
    assert shares["subject"] > 0.8 and min(shares[a] for a in ("colour", "place", "time", "weather")) > 0.9
    assert shares["motion"] > 0.6 and shares["all"] <= min(shares[a] for a in ("subject", "motion", "camera"))


def test_a_second_subject_counts_only_where_there_is_one():
    scenes = sample_scenes(4, np.random.default_rng(0), SMALL, relation=0)
    guess = {"subject2": torch.randn(4, len(ATTRIBUTES["subject2"]))}
    assert judge.loss_of(guess, scenes) == 0
    scenes["relation"][1] = 1
    assert judge.loss_of(guess, scenes) > 0


def test_a_mirror_swaps_left_and_right_and_no_other_motion():
    motions = list(ATTRIBUTES["motion"])
    scenes = sample_scenes(6, np.random.default_rng(0), SMALL)
    scenes["motion"] = [motions.index(m) for m in ("left", "left", "right", "right", "spin", "spin")]
    x = torch.rand(6, 2, 3, 4, 5)
    (seen, small), told = judge.mirrored((x, x[..., ::2]), scenes)
    assert [motions[m] for m in told["motion"]] == ["right", "left", "left", "right", "spin", "spin"]
    assert torch.equal(seen[1::2], x[1::2]) and torch.equal(seen[::2], x[::2].flip(-1)) and torch.equal(small[::2], x[::2, ..., ::2].flip(-1))
    assert [motions[m] for m in scenes["motion"]] == ["left", "left", "right", "right", "spin", "spin"]  # the clips' own stay
