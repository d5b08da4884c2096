"""The tables of words, one file a language, and their notation.

An entry lists spellings with ";" between them, the plain one first. In a spelling:
`[a|b]` are forms that a sentence chooses, `<a|b>` genders, `*` the language's usual ending (STAR),
`@car boat` at the end restricts it to these subjects, `{}` (`{acc}`, `{dat}`) is the second subject,
`&` says that the second subject joins the first ("a car and a duck"). Each file tells the rest.
"""
import re

from . import de, en, es, fr, ja, zh

MODULES = {"en": en, "zh": zh, "es": es, "fr": fr, "de": de, "ja": ja}
GAP = re.compile(r"\{\w*\}")
_CHOICE = re.compile(r"\[([^\]]*)\]|<([^>]*)>")


def fill(spelling: str, form: int = 0, gender: int = 0) -> str:
    """The spelling with its forms chosen; the last form stands for those that are not told."""
    def choose(match) -> str:
        options = (match[1] if match[1] is not None else match[2]).split("|")
        return options[min(form if match[1] is not None else gender, len(options) - 1)]
    return _CHOICE.sub(choose, spelling)


def _read(text: str, star: str) -> list:
    """-> [(spelling, subjects that it is for, or none for all)]."""
    found = []
    for entry in text.split(";"):
        spelling, _, only = entry.partition("@")
        found.append((spelling.strip().replace("*", star), frozenset(only.split())))
    return found


TABLE = {language: {a: {v: _read(text, m.STAR) for v, text in values.items()} for a, values in m.WORDS.items()}
         for language, m in MODULES.items()}
for _language in TABLE.values():  # the second subject has the words of the first
    _language["subject2"], _language["colour2"] = _language["subject"], _language["colour"]


def surfaces(language: str, attribute: str, spelling: str) -> list:
    """Everything that a spelling can look like in a caption, blanks between words in every language."""
    noun = attribute.startswith("subject") and language in ("es", "fr", "de", "zh")
    text = spelling.split(" ", 1)[1] if noun else spelling.lstrip("&~+")
    forms = (4, 0, 1, 2, 3) if language == "de" and attribute[:6] in ("colour", "materi") else range(3)
    found = [fill(text, form, gender) for form in forms for gender in range(2)]
    if "_" in text:
        verb, rest = (part.strip() for part in text.split("_"))
        at_end = rest[1:] + verb if rest.startswith("+") else verb
        found = [f"{verb} {rest.lstrip('+')}", at_end] if rest.startswith("+") else [f"{verb} {rest}"]
    if language == "fr" and noun and text[0] in "aeiouéê":
        found.append("l'" + text)
    if language == "ja" and "[ " in text:  # the place or time without its particle
        found.append(text.split("[")[0])
    parts = [[part.strip() for part in GAP.split(f) if part.strip()] for f in found]
    last = [part[-1] for part in parts]
    if attribute == "relation":  # French and Spanish articles melt with what is before them: "à côté d'un"
        last += [re.sub(r" (de|a)$", "", part) for part in last if language in ("es", "fr")]
    return list(dict.fromkeys(last))


def clause(spelling: str) -> list:
    """What a German verb with a slot falls into: the verb with and without "sich", and the rest."""
    if "_" not in spelling:
        return []
    verb, rest = (part.strip() for part in GAP.sub("", spelling).split("_"))
    return [part for part in dict.fromkeys([verb, verb.removesuffix(" sich"), rest if not rest.startswith("+") else ""]) if part]


def write(language: str, text: str) -> str:
    """Chinese and Japanese have no blanks."""
    return text.replace(" ", "") if language in ("zh", "ja") else text


def _words(language: str, attribute: str, values: dict) -> dict:
    found = {v: [s for spelling, _ in listed for s in surfaces(language, attribute, spelling)] for v, listed in values.items()}
    parts = {v: [p for spelling, _ in listed for p in clause(spelling)] for v, listed in values.items()}
    for v, own in parts.items():  # a part that two values share means neither
        found[v] += [p for p in own if not any(p in other for w, other in parts.items() if w != v)]
    return {v: list(dict.fromkeys(write(language, w) for w in words)) for v, words in found.items()}


WORDS = {language: {a: _words(language, a, values) for a, values in table.items()} for language, table in TABLE.items()}
OTHER = {language: list(m.OTHER) for language, m in MODULES.items()}
OTHER["de"] += sorted({word for values in TABLE["de"].values() for listed in values.values() for spelling, _ in listed
                       for word in " ".join(clause(spelling)[:2]).split()}
                      - set(OTHER["de"]) - {word for values in WORDS["de"].values() for words in values.values() for word in words})  # "schwankt" says how it moves


def vocabulary(language: str) -> set:
    """Single words of a language, as they stand between blanks."""
    spelled = [s for a, values in TABLE[language].items() for listed in values.values() for spelling, _ in listed
               for s in surfaces(language, a, spelling)]
    gaps = [part for values in (TABLE[language]["relation"],) for listed in values.values() for spelling, _ in listed
            for form in range(3) for part in GAP.split(fill(spelling.lstrip("&"), form).replace("_", " "))]
    measures = [spelling.split()[0] for listed in TABLE[language]["subject"].values() for spelling, _ in listed] if language == "zh" else []
    return {w for text in spelled + gaps for w in text.split()} | set(OTHER[language]) | {"一" + m for m in measures}
