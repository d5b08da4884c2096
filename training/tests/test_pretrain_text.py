"""The text encoder's own training: it learns, stops, goes on, and refuses what it cannot use."""
import json

import numpy as np
import pytest
import torch

from training import pretrain_text, tokens, umt5, world

SMALL = {"subject": ["car", "duck", "house", "star"], "colour": ["red", "green", "blue", "white", "black"],
         "relation": ["alone", "beside"], "subject2": ["car", "duck", "house", "star"], "colour2": ["red", "green", "blue", "white", "black"]}
PRESET = {**pretrain_text.PRESETS["smoke"], "pool": 1000}


@pytest.fixture(autouse=True)
def small_world(monkeypatch):
    monkeypatch.setattr(world, "ATTRIBUTES", SMALL)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # many small operations: threads cost more than they give on a busy machine
    yield
    torch.set_num_threads(threads)


def test_labels_are_what_the_captions_name(tmp_path):
    tokenizer = tokens.build(tmp_path / "tokenizer.json")
    ids, labels = pretrain_text.make(300, tokenizer, np.random.default_rng(1), "en")
    assert ids.shape == (300, pretrain_text.TOKENS) and labels.shape == (300, len(SMALL))
    words = [set(tokenizer.decode(row[row > 2].tolist()).split()) for row in ids]
    first = [{"red", "green", "blue", "white", "black"} & w for w in words]
    single = labels[:, 4] == 5  # no second colour, so a plain colour word is the first one's
    named = [(SMALL["colour"][label], *found) for label, found, one in zip(labels[:, 1], first, single) if one and found]
    assert len(named) > 50 and all(label == found for label, found in named)
    alone = labels[:, 2] != 1
    assert (labels[alone][:, 3] == 4).all() and (labels[alone][:, 4] == 5).all()
    assert (labels[:, 0] < 4).float().mean() > 0.9


def test_it_learns_stops_and_goes_on(tmp_path):
    state = pretrain_text.train(tmp_path, PRESET, 0.12)
    colours = np.mean([row["colour"] for row in state["accuracy"].values()])
    assert colours > 0.4, "chance is 0.2"
    saved = torch.load(tmp_path / "text.pt", weights_only=False)
    assert saved["step"] == state["step"] > 0 and saved["text_config"]["d_model"] == umt5.CONFIG["d_model"]
    encoder = umt5.UMT5(saved["text_config"])
    encoder.load_state_dict(saved["model"])
    with torch.no_grad():
        out = encoder(torch.tensor([[5, 9, 33, 1]]))
    assert 0.2 < out.square().mean().sqrt() < 5
    line = json.loads((tmp_path / "text.jsonl").read_text().splitlines()[-1])
    assert set(line["languages"]) == {"en", "zh", "es", "fr", "de", "ja"} and set(line["attributes"]) == set(SMALL)
    again = pretrain_text.train(tmp_path, PRESET, 0.14)
    assert again["step"] > saved["step"] and not list(tmp_path.glob("*.tmp"))
    with pytest.raises(SystemExit, match="other captions or another text encoder"):
        pretrain_text.train(tmp_path, PRESET, 0.2, {"d_model": 96})


def test_a_tokenizer_of_another_edition_is_refused(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(tokens, "vocabulary", lambda language: {"red", "a"})
        tokens.build(tmp_path / "tokenizer.json")
    with pytest.raises(SystemExit, match="another edition"):
        pretrain_text.train(tmp_path, PRESET, 0.01)
