"""What must hold before a model is worth training: python -m pytest training/tests."""
import numpy as np
import pytest
import torch

from training import umt5, wan, windows
from training.data import chances, subject_cells
from training.export import read_gguf, write_gguf
from training.muon import orthogonalise
from training.sampling import kept, sample, turned
from training.taehv import CONFIG as AE_CONFIG, TAEHV
from training.world import ATTRIBUTES, MOTIONS, SCENE, SUBJECTS, render, sample_scenes

SMALL = {**wan.CONFIG, "num_layers": 2, "text_dim": 192}
CHANNELS = SMALL["in_channels"]


def small_transformer(seed: int = 0) -> wan.WanTransformer:
    torch.manual_seed(seed)
    return wan.WanTransformer(SMALL).eval()


def test_the_world_is_the_same_for_the_same_seed():
    draw = lambda: render(sample_scenes(9, np.random.default_rng(3)), frames=3)
    assert (draw() == draw()).all()
    assert draw().shape == (9, 3, 80, 128, 3)


@pytest.mark.parametrize("motion", range(len(MOTIONS)))
def test_every_motion_moves_and_goes_on_for_ever(motion):
    scenes = sample_scenes(2, np.random.default_rng(0), motion=motion, place=1, camera=0, weather=0)
    for start in (0.0, 60.0):
        clip = render(scenes, frames=33, start=start).astype(int)
        assert np.abs(clip - clip[:, :1]).max(axis=(1, 2, 3, 4)).min() > 60


@pytest.mark.parametrize("attribute", ["subject", "colour", "material", "place", "time", "weather", "look", "relation"])
def test_every_value_of_an_attribute_looks_different(attribute):
    one = {a: 0 for a in ATTRIBUTES} | {"material": 0, "relation": 0, "place": 2, "motion": 1, "subject2": 3, "colour2": 4}
    scenes = np.concatenate([sample_scenes(1, np.random.default_rng(4), **{**one, attribute: i}) for i in range(len(ATTRIBUTES[attribute]))])
    clips = render(scenes, 96, 64, frames=2).astype(int)
    for i in range(len(clips)):
        for j in range(i):
            assert (np.abs(clips[i] - clips[j]).max(-1) > 25).mean() > 0.004, (ATTRIBUTES[attribute][i], ATTRIBUTES[attribute][j])


@pytest.mark.parametrize("subject", range(len(SUBJECTS)))
def test_every_subject_is_large_and_its_mask_is_where_it_is(subject):
    scene = sample_scenes(1, np.random.default_rng(2), subject=subject, motion=6, place=1, camera=0, weather=0, relation=0, material=0, look=0)
    _, mask = render(scene, frames=1, masks=True)
    rows = np.flatnonzero(mask[0, 0].max(1) > 25)
    assert rows[-1] - rows[0] + 1 >= 4, "a subject fills at least 40 % of the height"
    assert 0.04 < (mask > 60).mean() < 0.5


def test_sizes_that_the_masks_cannot_hold_are_refused():
    with pytest.raises(ValueError, match="multiples of 8"):
        render(sample_scenes(1, np.random.default_rng(0)), 100, 64)


def test_a_latent_cell_counts_as_subject_where_one_passes_in_its_frames():
    masks = np.zeros((1, 5, 6, 6), np.uint8)
    masks[0, 2, 3, 3] = 200  # frame 2 belongs to latent 1
    cells = subject_cells(masks)
    assert cells.shape == (1, 2, 6, 6) and cells[0, 0].max() == 0
    assert (cells[0, 1, 2:5, 2:5] == 200).all() and (cells[0, 1] > 0).sum() == 9


def test_the_bidirectional_transformer_is_diffusers():
    diffusers = pytest.importorskip("diffusers")
    torch.manual_seed(0)
    config = {k: tuple(v) if k == "patch_size" else v for k, v in SMALL.items() if k != "text_len"}
    theirs = diffusers.WanTransformer3DModel(**config).eval()
    ours = wan.WanTransformer(SMALL).eval()
    ours.load_state_dict(theirs.state_dict())
    x, hidden = torch.randn(1, CHANNELS, 3, 8, 12), torch.randn(1, SMALL["text_len"], 192)
    with torch.no_grad():
        a = theirs(x, torch.tensor([700.0]), hidden).sample
        b = ours(x, torch.full((1, 3), 700.0), ours.text(hidden))[0]
    assert (a - b).abs().max() < 1e-5


def test_the_text_encoder_is_transformers():
    transformers = pytest.importorskip("transformers")
    config = {**umt5.CONFIG, "vocab_size": 64}
    torch.manual_seed(0)
    theirs = transformers.UMT5EncoderModel(transformers.UMT5Config(**config)).eval()
    ours = umt5.UMT5(config).eval()
    state = {k: v for k, v in theirs.state_dict().items() if k != "encoder.embed_tokens.weight"}
    ours.load_state_dict(state)
    ids = torch.tensor([[5, 9, 33, 1, 0, 0]])
    with torch.no_grad():
        a = theirs(ids, attention_mask=(ids != 0).long()).last_hidden_state[:, :4]
        b = ours(ids)[:, :4]
    assert (a - b).abs().max() < 1e-4


def test_later_frames_change_earlier_ones_by_exactly_nothing():
    model = small_transformer()
    x0, context = torch.randn(1, CHANNELS, 6, 8, 12), model.text(torch.randn(1, 4, 192))

    def first_block(x):
        plan = wan.teacher_forcing([(0, True), (1, True)], 72)
        with torch.no_grad():
            return model(x, torch.zeros(1, 6), context, mask=plan)[0][:, :, :3]

    other = x0.clone()
    other[:, :, 3:] = torch.randn(1, CHANNELS, 3, 8, 12)
    assert (first_block(x0) - first_block(other)).abs().max() == 0


def test_teacher_forcing_sees_what_the_cache_holds():
    """A noisy block beside its clean past gives the flow that sampling computes from cached keys and values."""
    model = small_transformer()
    x0, context = torch.randn(1, CHANNELS, 6, 8, 12), model.text(torch.randn(1, 4, 192))
    t = torch.tensor([[0.0] * 3 + [600.0] * 3])
    with torch.no_grad():
        whole = model(x0, t, context, mask=wan.teacher_forcing([(0, True), (1, False)], 72))[0][:, :, 3:]
        caches = model(x0[:, :, :3], t[:, :3], context)[1]
        step = model(x0[:, :, 3:], t[:, 3:], context, torch.arange(3, 6), caches=caches)[0]
    assert (whole - step).abs().max() < 1e-5


def test_sampling_gives_every_block():
    text = umt5.UMT5(umt5.CONFIG).eval()
    z = sample(small_transformer(), text, torch.tensor([[5, 1]]), blocks=4, steps=2)
    assert z.shape == (1, CHANNELS, 12, 8, 12) and z.isfinite().all()


def test_sampling_goes_on_from_the_past_that_it_is_given():
    dit, text = small_transformer(), umt5.UMT5(umt5.CONFIG).eval()
    go = lambda past=None: sample(dit, text, torch.tensor([[5, 1]]), blocks=3, steps=2, remembered=past)
    made = go()
    assert torch.equal(go(made), made)
    other = go(made + torch.randn_like(made))
    assert torch.equal(other[:, :, :3], made[:, :, :3]) and not torch.allclose(other[:, :, 3:6], made[:, :, 3:6], atol=1e-4)


def test_the_linear_start_of_the_autoencoder_reconstructs():
    frames = torch.from_numpy(render(sample_scenes(12, np.random.default_rng(1)), frames=9)).permute(0, 1, 4, 2, 3).float() / 255
    model = TAEHV(AE_CONFIG)
    model.start_from_pca(frames)
    with torch.no_grad():
        out = model.decode(model.encode(frames))
    assert out.shape == frames.shape
    assert -10 * (out - frames).square().mean().log10() > 24


def test_gguf_keeps_names_shapes_and_values(tmp_path):
    model = small_transformer()
    write_gguf(tmp_path / "t.gguf", "wan", model.state_dict())
    read = read_gguf(tmp_path / "t.gguf")
    assert read.keys() == model.state_dict().keys()
    for name, value in model.state_dict().items():
        assert read[name].shape == value.shape, name
        assert (read[name] - value).norm() <= 0.01 * value.norm(), name


@pytest.mark.parametrize("past", [3, 6])
def test_the_noisy_targets_are_paired_with_their_frames(past):
    x0 = torch.randn(2, CHANNELS, past + 3, 8, 12)
    x, t, frames, _, target, sigma = windows.teacher_forced(x0[:, :, :past], x0[:, :, past:])
    level = sigma[:, None, :, None, None]
    clean = x[:, :, past:] - level * target  # x = x0 + sigma * (noise - x0)
    assert torch.allclose(clean, x0[:, :, past:].repeat(1, 1, windows.COPIES, 1, 1), atol=1e-5)
    assert frames.tolist() == [*range(past)] + [past, past + 1, past + 2] * windows.COPIES
    assert (t[:, :past] == 0).all() and SCENE.itemsize == 72


@pytest.mark.parametrize("past, generations", [(3, 1), (6, 1), (6, 3)])
def test_an_imagined_past_is_the_true_one_for_a_model_that_knows_it(past, generations):
    x0 = torch.randn(2, CHANNELS, past, 8, 12)

    class Knows(torch.nn.Module):
        def forward(self, x, t, context, frames, plan):
            shown = torch.stack([x0[:, :, f] for f in frames], 2)
            clean = (t == 0)[:, None, :, None, None].expand(x.shape)
            assert (x[clean] - shown[clean]).abs().max() < 1e-4 if clean.any() else True, "what is said to be clean is"
            return ((x - shown) / (t[:, None, :, None, None] / 1000).clamp(min=1e-9), None)

    made = windows.imagined(Knows(), torch.zeros(0), x0, generations)
    assert made.shape == x0.shape and (made - x0).abs().max() < 1e-4


def test_an_imagined_past_is_no_copy_of_the_true_one():
    torch.manual_seed(0)
    model = small_transformer()
    model.initialise()
    x0 = torch.randn(2, CHANNELS, 6, 8, 12)
    made = windows.imagined(model, model.text(torch.randn(2, 4, 192)), x0)
    assert made.shape == x0.shape and 0.2 < (made - x0).std() < 2


def test_windows_where_something_is_missing_are_shown_more_often_whether_it_comes_back_or_not():
    cells = torch.zeros(8, 9, 10, 16, dtype=torch.uint8)
    cells[:2, :3] = 255  # gone
    cells[1, 6:] = 255  # and it comes back
    cells[2:4] = 255  # it stays
    cells[3, 6:] = 0  # and goes
    often = chances(cells)
    assert abs(often.sum() - 1) < 1e-5 and often[0] > 0.3 and often[0] == often[1] and (often[2:] - 0.5 / 8).abs().max() < 1e-3


def test_where_a_subject_may_be_counts_more_than_where_it_is():
    cells = torch.zeros(1, 9, 10, 16)
    cells[0, :6, 4, 3] = 1  # it was here
    cells[0, 6:, 4, 15] = 1  # and is there
    weight = windows.cell_weights(cells)[0, 0]
    assert weight.shape == (9, 10, 16) and abs(weight.mean() - 1) < 1e-6
    background, row, now = weight[0, 0, 0], weight[0, 4, 9], weight[0, 4, 15]
    assert row == weight[0, 8, 3] and background < row < now < 1.3 * row


def test_a_sink_that_moves_along_is_one_that_was_made_there():
    """Scores depend on distances only: a turned sink gives what all frames would give that stood one after another."""
    model = small_transformer()
    x0, context = torch.randn(1, CHANNELS, 9, 8, 12), model.text(torch.randn(1, 4, 192))
    zero, t = torch.zeros(1, 3), torch.full((1, 3), 600.0)
    at = lambda first: torch.arange(first, first + 3)

    def flow(gone):
        with torch.no_grad():
            sink = model(x0[:, :, :3], zero, context, at(0))[1]
            there = [(turned(k, 72, gone), v) for k, v in sink]
            past = model(x0[:, :, 3:6], zero, context, at(3 + gone), caches=there)[1]
            caches = [tuple(torch.cat(pair, 2) for pair in zip(a, b)) for a, b in zip(there, past)]
            return model(x0[:, :, 6:], t, context, at(6 + gone), caches=caches)[0]

    assert (flow(0) - flow(210)).abs().max() < 1e-4


def test_the_window_keeps_the_first_rows_and_the_last_ones():
    x = torch.arange(10.0).view(1, 1, 10, 1)
    assert kept(x, 3, 4).flatten().tolist() == [0, 1, 2, 6, 7, 8, 9]
    assert kept(x, 0, 4).flatten().tolist() == [6, 7, 8, 9]
    assert kept(x[:, :, :6], 3, 4).flatten().tolist() == [0, 1, 2, 3, 4, 5]
    assert kept(x, 3, 0).flatten().tolist() == [0, 1, 2]


@pytest.mark.parametrize("shape", [(3, 40, 40), (2, 96, 24), (2, 24, 96)])
def test_orthogonalising_keeps_the_directions_and_levels_their_strengths(shape):
    torch.manual_seed(0)
    g = torch.randn(shape)
    u, _, v = torch.linalg.svd(g, full_matrices=False)
    strengths = torch.einsum("nri,nrc,nic->ni", u, orthogonalise(g), v)  # of each of g's directions
    assert strengths.min() > 0.28 and strengths.max() < 1.3  # 0.30 in one of the two kinds of numbers, a little less in the other
    assert (torch.linalg.svdvals(orthogonalise(g)) - strengths.sort(descending=True).values).abs().max() < 0.1
