"""The prompt tokenizer: Unigram, lower-casing NFKC, ids <pad> 0, </s> 1 (appended), <unk> 2.

Its pieces are the words of the grammar, whole, in six languages (Chinese and Japanese ones without a blank before
them), then letters and single characters for the rest, so the model meets one token for one idea. Every word costs the
same, so the fewest pieces win.
"""
import unicodedata
from collections import Counter
from pathlib import Path

import numpy as np
import torch
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from .captions import LANGUAGES
from .words import vocabulary
from .world import DETAILS

SPECIAL = ["<pad>", "</s>", "<unk>"]
PUNCTUATION = ",.!?，。、"
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789-'áéíóúñüàâçèêëîïôûùœæäöß"
BLANKLESS = ("zh", "ja")
COMMON = 3  # a character in as many Chinese or Japanese words gets a piece of its own


def _normal(word: str) -> str:
    return unicodedata.normalize("NFKC", word).lower()


def pieces() -> list:
    """[(piece, score)]: special tokens, words, then single characters."""
    spaced = {w for language in LANGUAGES if language not in BLANKLESS for text in vocabulary(language)
              for w in _normal(text).replace("-", " - ").split()}
    solid = {_normal(w) for language in BLANKLESS for w in vocabulary(language)}
    marks = {_normal(m) for m in PUNCTUATION}
    words = sorted({"▁" + w for w in spaced | marks}) + sorted(w for w in solid - marks if len(w) > 1)
    uses = Counter(c for w in solid for c in set(w))
    characters = sorted({c for c, n in uses.items() if n >= COMMON or c in solid} | set(LETTERS) | marks)
    return [(s, 0.0) for s in SPECIAL] + [(w, -6.0) for w in words] + [("▁", -4.0)] + [(c, -9.0) for c in characters]


def build(path: Path) -> Tokenizer:
    tokenizer = Tokenizer(models.Unigram(pieces(), unk_id=2, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(f"[{PUNCTUATION}-]"), "isolated"), pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")])
    tokenizer.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.add_special_tokens(SPECIAL)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 1)])
    path.parent.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(path))
    return tokenizer


def load(path: Path) -> Tokenizer:
    return Tokenizer.from_file(str(path)) if path.exists() else build(path)


def size(tokenizer: Tokenizer) -> int:
    """Rows of the embedding table: the vocabulary and the details of scenes, rounded up to a multiple of 32."""
    return -(-(tokenizer.get_vocab_size() + sum(DETAILS.values())) // 32) * 32


def detail_ids(tokenizer: Tokenizer) -> list:
    """[[id of every step] of every detail of a scene]: rows behind the vocabulary's, which no text can name."""
    starts = np.cumsum([tokenizer.get_vocab_size(), *DETAILS.values()])
    return [list(range(start, start + steps)) for start, steps in zip(starts.tolist(), DETAILS.values())]


def with_details(ids: torch.Tensor, steps: torch.Tensor, first: int) -> torch.Tensor:
    """Puts the details, steps [n, D], before the captions ids [n, L]; a caption that leaves no room for them goes without."""
    offsets = first + np.cumsum([0, *list(DETAILS.values())[:-1]])
    told = torch.cat([steps + torch.from_numpy(offsets), ids], 1)
    fits = (told[:, ids.shape[1]:] == 0).all(1, keepdim=True)
    return torch.where(fits, told[:, :ids.shape[1]], ids)
