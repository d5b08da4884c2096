"""How each language puts a sentence together. A builder takes a `Say` (what to name, in which words) and returns text.

Adverbs are place, time and weather; tails are camera and look, set off by commas.
"""
import re

from . import GAP, MODULES, fill

LATIN = {  # forms of verbs: (weight, word before it, form); joins: before chasing, after a motion
    "en": {"verbs": [(0.7, "", 0), (0.1, "is ", 0), (0.14, "", 1), (0.06, "that ", 1)], "joins": [", ", " while "],
           "articles": {"a": ("a",), "the": ("the",)}, "fix": [(r"\ba(?= [aeiou])", "an")]},
    "es": {"verbs": [(0.45, "", 0), (0.15, "está ", 0), (0.27, "", 1), (0.13, "que ", 1)], "joins": [", ", " "],
           "articles": {"a": ("un", "una"), "the": ("el", "la")}, "fix": [(r"\ba el\b", "al"), (r"\bde el\b", "del")]},
    "fr": {"verbs": [(0.45, "", 1), (0.3, "", 0), (0.25, "qui ", 1)], "joins": [" en "],
           "articles": {"a": ("un", "une"), "the": ("le", "la")},
           "fix": [(r"\bde (?=une?\b)", "d'"), (r"\bde le(?= [^aeiouéê])", "du"), (r"\b(?:le|la) (?=[aeiouéê])", "l'")]},
}
GERMAN = {"nom": (("ein", "eine", "ein"), ("der", "die", "das")), "acc": (("einen", "eine", "ein"), ("den", "die", "das")),
          "dat": (("einem", "einer", "einem"), ("dem", "der", "dem"))}


def _join(*parts: str) -> str:
    return " ".join(part for part in parts if part)


def _commas(say, *parts: str, comma: str = ", ") -> str:
    return comma.join(part for part in parts if part)


def _tails(say, text: str, comma: str = ", ") -> str:
    """The text with camera and look behind it, or in front of it."""
    tails = say.shuffled([say("camera"), say("look")])
    front = tails.pop() if say.chance(0.2) else ""
    return _commas(say, front, text, *tails, comma=comma)


def _adverbs(say) -> list:
    listed = [say("place"), say("time"), say("weather")]
    return [a for a in (say.shuffled(listed) if say.chance(0.35) else listed) if a]


def _split_noun(say, which: str) -> tuple:
    """(gender 0, 1 or 2, the noun); languages without gender have 0."""
    spelling = say("subject" + which) or MODULES[say.language].THING
    if say.language == "en":
        return 0, spelling
    gender, noun = spelling.split(" ", 1)
    return "mfn".index(gender), noun


def latin_noun(say, which: str = "") -> str:
    """Subject 1 ("") or 2 ("2") with colour and material: English adjectives before the noun, Romance ones after it."""
    gender, noun = _split_noun(say, which)
    colour, material = say("colour" + which), "" if which else say("material")
    article = "a" if say.plain else say.pick([(0.82, "a"), (0.08, "the"), (0.1, "a" if which and say.language != "en" else "")])
    words = LATIN[say.language]["articles"]
    determiner = words[article][min(gender, len(words[article]) - 1)] if article else ""
    if say.language != "en":
        return _join(determiner, *(fill(w, gender=gender) for w in (noun, colour, material)))
    before, near, after = ("" if material[:1] in "+~" else material, material[1:] if material[:1] == "+" else "",
                           material[1:] if material[:1] == "~" else "")
    return _join(determiner, before, colour, near, noun, after)


def latin(say) -> str:
    rules, gender = LATIN[say.language], _split_noun(say, "")[0]
    verb = lambda spelling: (lambda chosen: chosen[0] + fill(spelling, chosen[1], gender))(
        rules["verbs"][0][1:] if say.plain else say.pick([(w, (before, form)) for w, before, form in rules["verbs"]]))
    head, relation, motion = latin_noun(say), say("relation"), say("motion")
    if GAP.search(relation):
        relation = GAP.sub(lambda _: latin_noun(say, "2"), relation)
    if relation.startswith("&"):
        head, relation = f"{head} {relation[1:]}", ""
        moves = fill(motion, 0, gender)  # a participle goes with two subjects as well as with one
    else:
        moves = verb(motion) if motion else ""
    if "[" in relation:
        relation = verb(relation) if not moves else (say.choice(rules["joins"]) + fill(relation, 0))
    relation = fill(relation, 0, gender)
    if moves and relation.startswith(","):
        moves, relation = moves + ",", relation[1:]
    adverbs = _adverbs(say)
    act = _join(moves, relation.strip())
    layout = "plain" if say.plain else say.pick([(0.58, "plain"), (0.15, "front"), (0.1, "tags"), (0.17, "late")])
    if layout == "front" and adverbs:
        text = _commas(say, adverbs[0], _join(head, act, *adverbs[1:]))
    elif layout == "tags":
        text = _commas(say, head, act, *adverbs)
    elif layout == "late":
        text = _join(head, *adverbs, act)
    else:
        text = _join(head, act, *adverbs)
    text = _tails(say, text)
    for pattern, better in rules["fix"]:
        text = re.sub(pattern, better, text)
    return text + ("." if say.chance(0.08) else "")


def german_noun(say, which: str = "", case: str = "nom") -> str:
    gender, noun = _split_noun(say, which)
    article = 0 if say.plain else say.pick([(0.8, 0), (0.1, 1), (0.1, 2 if case == "nom" else 0)])
    determiner = GERMAN[case][article][gender] if article < 2 else ""
    if case == "dat" or (case == "acc" and gender == 0):
        ending = 3
    else:
        ending = 1 if article == 1 else gender
    material = "" if which else say("material")
    before, after = ("", material[1:]) if material.startswith("~") else (material, "")
    noun = fill(noun, ("nom", "acc", "dat").index(case))
    return _join(determiner, fill(before, ending), fill(say("colour" + which), ending), noun, after)


def german(say) -> str:
    head, relation, motion = german_noun(say), say("relation"), say("motion")
    gender = _split_noun(say, "")[0]
    gap = GAP.search(relation)
    if gap:
        relation = GAP.sub(lambda m: german_noun(say, "2", m[0][1:-1]), relation)
    joined, adverbs = relation.startswith("&"), _adverbs(say)
    layout = "plain" if say.plain else say.pick([(0.4, "plain"), (0.2, "early"), (0.2, "front"), (0.1, "relative"), (0.1, "tags")])
    verb, rest = ([part.strip() for part in motion.split("_")] if motion else ("", ""))
    prefix, rest = (rest[1:], "") if rest.startswith("+") else ("", rest)

    def relative(*inside: str) -> str:
        """der/die/das (sich) inside rest verb."""
        bare = verb.removesuffix(" sich")
        return _join(GERMAN["nom"][1][gender], "sich" if bare != verb else "", *inside, rest, prefix + bare)

    chase = "_" in relation
    if (chase or joined) and motion:
        head = f"{head}, {relative()},"
        verb = rest = prefix = ""
    if joined:
        head, relation = f"{head} {relation[1:]}", ""
    if chase:
        verb, rest = (part.strip() for part in relation.split("_"))
        layout, relation = "early" if layout == "plain" else layout.replace("relative", "early"), ""
    elif relation:
        adverbs.insert(0, relation)
    if not verb:
        text = _commas(say, head, *adverbs) if layout == "tags" else _join(head, *adverbs)
    elif layout == "front" and adverbs:
        text = _join(adverbs[0], verb, head, *adverbs[1:], rest, prefix)
    elif layout == "relative":
        text = f"{head}, {relative(*adverbs)}"
    elif layout == "tags":
        text = _commas(say, head, _join(verb, rest, prefix), *adverbs)
    elif layout == "early" and not prefix:
        text = _join(head, verb, rest, *adverbs)
    else:
        text = _join(head, verb, *adverbs, rest, prefix)
    return _tails(say, text).replace(",,", ",") + ("." if say.chance(0.08) else "")


def chinese_noun(say, which: str = "", counted: bool | None = None, inside: str = "") -> str:
    """Measure word, `inside` (a motion with 的), material, colour, noun."""
    measure, noun = (say("subject" + which) or MODULES["zh"].THING).split(" ", 1)
    colour, material = say("colour" + which), "" if which else say("material")
    near, material = (material[1:], "") if material.startswith("+") else ("", material)
    if colour and not (material or near or inside) and not say.chance(0.25):
        colour += " 的"
    counted = not say.chance(0.3) if counted is None else counted
    return _join("一" + measure if counted else "", inside, material, colour, near, noun)


def chinese(say) -> str:
    motion, relation, place, time, weather = (say(a) for a in ("motion", "relation", "place", "time", "weather"))
    if GAP.search(relation):
        relation = GAP.sub(lambda _: chinese_noun(say, "2"), relation)
    joined, relation = (relation[1:], "") if relation.startswith("&") else ("", relation)
    layout = ("front" if weather else "plain") if say.plain else say.pick([(0.3, "plain"), (0.35, "front"), (0.15, "tags"), (0.2, "inside")])
    if layout == "inside" and motion and not joined:
        text = _commas(say, chinese_noun(say, inside=_join(relation, motion, "的")), place, time, weather, comma=" ， ")
    else:
        head = _join(chinese_noun(say), joined)
        moves = _join("正在" if motion and say.chance(0.1) else "", motion)
        if layout == "tags":
            text = _commas(say, head, *say.shuffled([place, time, weather]), _join(relation, moves), comma=" ， ")
        elif layout == "front":
            text = _commas(say, _join(time, weather), _join(head, place, relation, moves), comma=" ， ")
        else:
            text = _join(head, time, weather, place, relation, moves)
    return _tails(say, text, " ， ") + (" 。" if say.chance(0.08) else "")


def japanese_noun(say, which: str = "") -> str:
    return _join("" if which else say("material"), say("colour" + which), say("subject" + which) or MODULES["ja"].THING)


def japanese(say) -> str:
    motion, relation = say("motion"), say("relation")
    if GAP.search(relation):
        relation = GAP.sub(lambda _: japanese_noun(say, "2"), relation)
    joined, relation = (relation[1:], "") if relation.startswith("&") else ("", relation)
    head = _join(joined, japanese_noun(say))
    adverbs = [say(a) for a in ("time", "weather", "place")]
    if say.chance(0.3):
        adverbs = say.shuffled(adverbs)
    layout = "plain" if say.plain else say.pick([(0.35, "plain"), (0.3, "first"), (0.2, "last"), (0.15, "tags")])
    as_adverb, as_attribute = (lambda s: fill(s, 0)), (lambda s: fill(s, 1))
    if not motion:
        of = as_adverb if "追" in relation else as_attribute
        text = _join(*map(of, adverbs), as_attribute(relation), head)
    elif layout == "last":
        text = _join(*map(as_adverb, adverbs), as_adverb(relation), fill(motion, int(say.chance(0.4))), head)
    else:
        particle = "は" if say.chance(0.15) else "が"
        act = _join(as_adverb(relation), fill(motion, int(say.chance(0.5))))
        spots = [as_adverb(a) for a in adverbs]
        if layout == "tags":
            text = _commas(say, *(a.removesuffix(" で").removesuffix(" に") for a in spots), _join(head, particle, act), comma=" 、 ")
        elif layout == "first":
            text = _join(head, particle, *spots, act)
        else:
            text = _join(*spots, head, particle, act)
    return _tails(say, text, " 、 ") + (" 。" if say.chance(0.08) else "")


SENTENCES = {"en": latin, "es": latin, "fr": latin, "de": german, "zh": chinese, "ja": japanese}
