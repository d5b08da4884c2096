"""The prompt tokenizer: Unigram, lower-casing, ids <pad> 0, </s> 1 (appended), <unk> 2.

Its pieces are the words of the world's grammar, whole, then letters and single Chinese characters for the rest, so
the model meets one token for one idea. Every word costs the same, so the fewest pieces win.
"""
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from .captions import MEASURES, WORDS

SPECIAL = ["<pad>", "</s>", "<unk>"]
OTHER_WORDS = "a an the is thing of and with very".split()
PUNCTUATION = ",.!?，。、"


def pieces() -> list:
    """[(piece, score)]: special tokens, words, then single characters."""
    english = {w for values in WORDS["en"].values() for words in values.values() for text in words for w in text.replace("-", " - ").split()}
    chinese = {w for values in WORDS["zh"].values() for words in values.values() for w in words}
    stems = {w.lstrip("在").rstrip("的") for w in chinese}
    counts = {"一" + m for m in MEASURES.values()} | {"东西", "一个", "的", "在"}
    words = sorted({"▁" + w for w in english | set(OTHER_WORDS)}) + sorted({w for w in stems | counts if len(w) > 1})
    letters = sorted(set("".join(chinese | counts)) | set("abcdefghijklmnopqrstuvwxyz0123456789-'" + PUNCTUATION))
    plain = [w for w in words if len(w) > 1]
    return [(s, 0.0) for s in SPECIAL] + [(w, -6.0) for w in plain] + [("▁", -4.0)] + [(c, -9.0) for c in letters]


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
    """Rows of the embedding table: the vocabulary rounded up to a multiple of 32."""
    return -(-tokenizer.get_vocab_size() // 32) * 32
