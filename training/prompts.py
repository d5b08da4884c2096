"""The example prompts that ship with Pocket: a few scenes, said plainly in every language."""
import numpy as np

from .captions import LANGUAGES, caption
from .world import ATTRIBUTES, SCENE

EXAMPLES = [
    {"colour": "red", "subject": "boat", "motion": "sway", "place": "sea", "time": "sunset"},
    {"colour": "blue", "subject": "car", "motion": "right", "place": "city", "time": "night"},
    {"colour": "pink", "subject": "ghost", "motion": "split", "place": "meadow", "time": "morning"},
    {"colour": "white", "subject": "rocket", "motion": "rise", "place": "space", "time": "night"},
    {"colour": "yellow", "subject": "duck", "motion": "left", "place": "sea", "time": "day"},
    {"colour": "green", "subject": "snowman", "motion": "bounce", "place": "snow", "time": "day", "weather": "snow"},
    {"colour": "orange", "subject": "fish", "motion": "orbit", "place": "underwater", "time": "day"},
    {"colour": "purple", "subject": "balloon", "motion": "rise", "place": "mountains", "time": "morning"},
]


def scene(**named: str):
    """A scene with these values; what is not named is the first of its list."""
    s = np.zeros(1, SCENE)[0]
    for attribute, value in named.items():
        s[attribute] = ATTRIBUTES[attribute].index(value)
    return s


def examples() -> dict:
    """{language: [prompt]}."""
    return {language: [caption(scene(**e), np.random.default_rng(0), language, plain=True) for e in EXAMPLES] for language in LANGUAGES}
