"""The example prompts that ship with Pocket: a few scenes, said plainly in every language."""
import numpy as np

from .captions import LANGUAGES, caption
from .world import ATTRIBUTES, SCENE

EXAMPLES = [
    {"colour": "red", "subject": "boat", "motion": "sway", "place": "sea", "time": "sunset"},
    {"colour": "blue", "subject": "car", "motion": "right", "place": "city", "time": "night"},
    {"colour": "pink", "subject": "ghost", "motion": "split", "place": "meadow", "time": "morning"},
    {"colour": "purple", "subject": "balloon", "motion": "rise", "place": "mountains", "time": "morning"},
    {"colour": "red", "subject": "heart", "motion": "pulse", "place": "desert", "time": "day"},
    {"colour": "pink", "subject": "snowman", "motion": "sway", "place": "mountains", "time": "sunset"},
    {"colour": "orange", "subject": "car", "motion": "split", "place": "space", "time": "night"},
    {"colour": "yellow", "subject": "house", "motion": "bounce", "place": "snow", "time": "day", "weather": "snow"},
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
