"""The prompt tokenizer: Unigram over the captions, lower-casing, ids <pad> 0, </s> 1 (appended), <unk> 2."""
import json
from pathlib import Path

import numpy as np
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from .captions import WORDS, caption
from .world import sample_scenes

VOCABULARY = 1024


def build(path: Path, captions: int = 30_000) -> Tokenizer:
    """Train on generated captions and on every listed word, and save."""
    rng = np.random.default_rng(1)
    lines = [caption(s, rng) for s in sample_scenes(captions, rng)]
    lines += [w for language in WORDS.values() for values in language.values() for words in values.values() for w in words] * 20
    lines += list("abcdefghijklmnopqrstuvwxyz0123456789,.!?'-，。") * 5
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    # words and punctuation apart; a Chinese run stays one word, which Unigram cuts
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex("[,.!?，。、]"), "isolated"), pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")])
    tokenizer.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.train_from_iterator(lines, trainers.UnigramTrainer(
        vocab_size=VOCABULARY, special_tokens=["<pad>", "</s>", "<unk>"], unk_token="<unk>", max_piece_length=12))
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


if __name__ == "__main__":
    t = build(Path("/dev/shm/tokenizer.json"))
    print(t.get_vocab_size(), [json.dumps(t.encode(x).tokens, ensure_ascii=False) for x in ("A red boat drifting on the sea at sunset", "一艘红色的船日落时在海上漂流")])
