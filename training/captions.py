"""Captions from a grammar: exact, in six languages, with synonyms, loose order, dropped attributes and typos.

WORDS[language][attribute][value] lists every form of every word that a caption may use for a value, the plain one
first; OTHER[language] lists the words between them. The tables are in words/, the sentences in words/sentences.py.
"""
import numpy as np

from . import world
from .words import OTHER, TABLE, WORDS, write
from .words.sentences import SENTENCES

__all__ = ["LANGUAGES", "OTHER", "WORDS", "caption", "said", "taught", "values"]

LANGUAGES = {"en": 0.4, "zh": 0.2, "es": 0.1, "fr": 0.1, "de": 0.1, "ja": 0.1}
SILENT = {"material": "matte", "weather": "clear", "camera": "still", "look": "natural", "relation": "alone"}
SAY_SILENT = 0.1
DROP = {"subject": 0.02, "colour": 0.06, "subject2": 0.03, "colour2": 0.06}
DROP_OTHERS = 0.06  # and SHORT drops most of them: about a tenth in all
SHORT = 0.12
BARE = 0.3  # of the short ones name no colour, and often the subject alone
TYPOS = 0.025


class Say:
    """What a sentence names, attribute to spelling, and the dice for its form."""

    def __init__(self, language: str, spellings: dict, rng, plain: bool):
        self.language, self.spellings, self.rng, self.plain = language, spellings, rng, plain

    def __call__(self, attribute: str) -> str:
        return self.spellings.get(attribute, "")

    def chance(self, p: float) -> bool:
        return not self.plain and self.rng.random() < p

    def pick(self, weighted: list):
        dice = self.rng.random() * sum(w for w, _ in weighted)
        for weight, thing in weighted:
            dice -= weight
            if dice < 0:
                return thing
        return weighted[-1][1]

    def choice(self, listed: list):
        return listed[0] if self.plain else listed[self.rng.integers(len(listed))]

    def shuffled(self, listed: list) -> list:
        return list(listed) if self.plain else [listed[i] for i in self.rng.permutation(len(listed))]


def values(scene) -> dict:
    """The names of a scene's attribute values: those attributes that the world and the scene both have."""
    return {a: names[scene[a]] for a, names in world.ATTRIBUTES.items() if a in scene.dtype.names}


def _chosen(named: dict, rng, plain: bool) -> list:
    """Which attributes a caption names."""
    short = not plain and rng.random() < SHORT
    extra = rng.choice([a for a in named if a in ("motion", "place", "time")] or list(named)) if short and rng.random() < 0.6 else None
    bare = short and rng.random() < BARE
    pair = named.get("relation", "alone") != "alone"

    def says(attribute: str) -> bool:
        if named[attribute] == SILENT.get(attribute):
            return not plain and not short and rng.random() < SAY_SILENT
        if short:
            return attribute in ("subject", extra) or attribute == "colour" and not bare
        return plain or rng.random() >= DROP.get(attribute, DROP_OTHERS)

    chosen = [a for a in named if (pair or not a.endswith("2")) and says(a)]
    return chosen if "relation" in chosen else [a for a in chosen if not a.endswith("2")]


def _typo(text: str, rng) -> str:
    """One letter of one word of five to nine letters swapped with the next, dropped or doubled."""
    words = text.split(" ")
    long = [i for i, w in enumerate(words) if 5 <= len(w) <= 9 and w.isalpha()]
    if not long:
        return text
    i = int(rng.choice(long))
    word, kind = words[i], rng.integers(3)
    at = int(rng.integers(1, len(word) - 1))
    words[i] = (word[:at] + word[at + 1] + word[at] + word[at + 2:], word[:at] + word[at + 1:], word[:at + 1] + word[at:])[kind]
    return " ".join(words)


def said(scene, rng: np.random.Generator, language: str | None = None, plain: bool = False) -> tuple:
    """(caption, set of the attributes that it names). Arguments as for `caption`."""
    if language is None:
        language = str(rng.choice(list(LANGUAGES), p=list(LANGUAGES.values())))
    named, spellings = values(scene), {}
    for attribute in _chosen(named, rng, plain):
        about = named["subject2" if attribute == "colour2" else "subject"]
        options = TABLE[language][attribute].get(named[attribute])
        if options is None:
            raise KeyError(f"no {language} words for {attribute} = {named[attribute]}: add them to training/words/{language}.py")
        options = [text for text, only in options if not only or about in only]
        if "motion" in spellings and language != "de":  # "a boat and a house rising" says that both do; German says who, in a clause of its own
            options = [text for text in options if not text.startswith("&")]
        first = plain or rng.random() < 0.4
        spellings[attribute] = options[0] if first else options[rng.integers(len(options))]
    text = write(language, SENTENCES[language](Say(language, spellings, rng, plain)))
    if not plain and language not in ("zh", "ja") and rng.random() < TYPOS:
        text = _typo(text, rng)
    return text, set(spellings)


def caption(scene, rng: np.random.Generator, language: str | None = None, plain: bool = False) -> str:
    """A sentence for a scene. `language`: one of LANGUAGES, or None for any.

    `plain` says everything that is not a silent default in the first words of the table, without typos.
    """
    return said(scene, rng, language, plain)[0]


def taught(edition: dict) -> dict:
    """{language: {attribute: {value: [words]}}} of the values that an edition of the world has: vocabulary.json of the page.

    `other` beside the attributes holds the words between them, as {"": [words]}.
    """
    return {language: {**{a: {v: table[a][v] for v in names if v in table[a] and v in edition[a]} for a, names in world.ATTRIBUTES.items() if a in table},
                       "other": {"": OTHER[language]}} for language, table in WORDS.items()}
