import torch

from training import precision


def test_products_are_made_in_whatever_was_faster_when_it_was_tried(monkeypatch):
    for faster in (torch.bfloat16, torch.float32):
        precision.fastest.cache_clear()
        monkeypatch.setattr(precision, "_seconds", lambda dtype: 1.0 if dtype is faster else 2.0)
        with precision.mixed():
            assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype is faster
    precision.fastest.cache_clear()


def test_it_is_tried_on_this_processor():
    assert precision.fastest() in (torch.bfloat16, torch.float32)
    assert precision.fastest() is precision.fastest(), "once a process: a model must not change its mind"
