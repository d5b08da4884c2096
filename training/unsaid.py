"""What the seed may choose where a prompt says nothing of it, by the subject ("": all others): what somebody who writes "a boat" may expect.

The page puts it into words, from the vocabulary; nothing splits or falls unasked.
"""
EVERYWHERE = ["sea", "desert", "meadow", "snow", "city", "mountains"]
COLOURS = ["red", "orange", "yellow", "green", "blue", "purple", "pink", "white"]

UNSAID = {
    "subject": {"": ["boat", "balloon", "house", "car", "fish", "rocket", "snowman", "duck", "star", "heart", "ghost"]},
    "colour": {"": COLOURS, "tree": ["green"], "snowman": ["white", "blue", "yellow"], "duck": ["yellow", "white", "orange"], "heart": ["red", "pink"],
               "star": ["yellow", "orange", "pink"], "ghost": ["white", "green", "purple"]},
    "motion": {"": ["left", "right", "bounce", "sway"], "boat": ["left", "right", "sway"], "balloon": ["rise", "sway"], "house": ["bounce", "sway", "pulse"],
               "tree": ["sway"], "rocket": ["rise", "left", "right"], "snowman": ["bounce", "sway"], "heart": ["pulse", "bounce", "sway"],
               "star": ["sway", "pulse", "left", "right"]},
    "place": {"": EVERYWHERE, "boat": ["sea"], "balloon": ["meadow", "mountains", "desert", "snow"], "house": ["meadow", "snow", "mountains"],
              "car": ["city", "desert", "meadow", "mountains"], "fish": ["underwater"], "rocket": ["space", "desert", "city"], "snowman": ["snow"],
              "tree": ["meadow", "snow", "mountains"], "star": ["space", "city", "desert"], "duck": ["sea", "meadow"]},
    "time": {"": ["morning", "day", "sunset", "night"], "ghost": ["night", "sunset"]},
}


def of(edition: dict) -> dict:
    """UNSAID with those values alone that an edition of the world has; no list is empty."""
    known = {a: {s: [v for v in values if edition[a].get(v)] for s, values in by.items() if not s or edition["subject"].get(s)} for a, by in UNSAID.items()}
    return {a: {s: values for s, values in by.items() if values} for a, by in known.items()}
