"""Captions from a grammar: exact, in English and Chinese, with synonyms, loose order and dropped attributes.

WORDS[language][attribute][value] lists what a person may write for a value; the first entry is the plain one.
"""
import numpy as np

from .world import ATTRIBUTES

WORDS = {
    "en": {
        "subject": {
            "boat": ["boat", "sailing boat", "sailboat", "ship"],
            "balloon": ["balloon", "hot-air balloon", "hot air balloon"],
            "house": ["house", "cottage", "little house", "home"],
            "car": ["car", "automobile", "little car"],
            "fish": ["fish", "little fish", "big fish"],
            "rocket": ["rocket", "spaceship", "space rocket"],
            "snowman": ["snowman", "snow man"],
            "tree": ["tree", "pine tree", "fir tree", "christmas tree"],
            "star": ["star", "smiling star", "little star"],
            "heart": ["heart", "love heart"],
        },
        "colour": {
            "red": ["red", "crimson", "scarlet"], "orange": ["orange"], "yellow": ["yellow", "golden"],
            "green": ["green"], "blue": ["blue"], "purple": ["purple", "violet"],
            "pink": ["pink", "rose"], "white": ["white"],
        },
        "motion": {
            "left": ["moving left", "going left", "driving left", "moving to the left", "travelling to the left", "drifting to the left", "flying left"],
            "right": ["moving right", "going right", "driving right", "moving to the right", "travelling to the right", "drifting to the right", "flying right"],
            "bounce": ["bouncing", "jumping", "hopping", "bouncing up and down", "jumping up and down"],
            "spin": ["spinning", "rotating", "turning around", "twirling", "spinning around"],
            "rise": ["rising", "flying up", "going up", "taking off", "floating upwards", "rising into the air"],
            "sink": ["sinking", "falling", "going down", "falling down", "dropping"],
            "sway": ["swaying", "drifting", "rocking", "floating", "swinging from side to side", "rocking gently", "wobbling"],
            "grow": ["growing and shrinking", "pulsing", "growing", "getting bigger and smaller", "breathing"],
        },
        "place": {
            "sea": ["on the sea", "at sea", "on the ocean", "on the water", "in the sea"],
            "desert": ["in the desert", "in a sandy desert", "among sand dunes", "on the sand"],
            "meadow": ["in a meadow", "in the meadow", "on a green field", "on the grass", "in a field"],
            "snow": ["in the snow", "on a snowfield", "in a snowy field", "on the snow", "in winter"],
            "city": ["in the city", "in a city", "in town", "in front of tall buildings", "on a city street"],
            "space": ["in space", "in outer space", "on the moon", "on a distant planet"],
        },
        "time": {
            "day": ["in daylight", "by day", "in the daytime", "on a sunny day", "at noon"],
            "sunset": ["at sunset", "at dusk", "in the evening", "in the sunset", "as the sun sets"],
            "night": ["at night", "by night", "under the moon", "in the moonlight", "under the stars"],
        },
    },
    "zh": {
        "subject": {
            "boat": ["船", "帆船", "小船"], "balloon": ["气球", "热气球"], "house": ["房子", "小屋", "小房子"],
            "car": ["汽车", "小汽车", "车"], "fish": ["鱼", "小鱼"], "rocket": ["火箭", "飞船"],
            "snowman": ["雪人"], "tree": ["树", "松树", "圣诞树"], "star": ["星星", "小星星"], "heart": ["爱心", "心", "心形"],
        },
        "colour": {
            "red": ["红色的", "红", "红色"], "orange": ["橙色的", "橙色", "橘色的"], "yellow": ["黄色的", "黄", "黄色"],
            "green": ["绿色的", "绿", "绿色"], "blue": ["蓝色的", "蓝", "蓝色"], "purple": ["紫色的", "紫", "紫色"],
            "pink": ["粉色的", "粉红色的", "粉红色"], "white": ["白色的", "白", "白色"],
        },
        "motion": {
            "left": ["向左移动", "往左走", "向左行驶", "向左开"], "right": ["向右移动", "往右走", "向右行驶", "向右开"],
            "bounce": ["弹跳", "跳来跳去", "上下跳动", "蹦跳"], "spin": ["旋转", "转圈", "转动"],
            "rise": ["上升", "升起", "向上飞", "升空"], "sink": ["下沉", "落下", "下降", "掉下来"],
            "sway": ["摇摆", "漂流", "漂浮", "轻轻摇晃", "飘荡"], "grow": ["变大变小", "忽大忽小", "变大", "一大一小"],
        },
        "place": {
            "sea": ["在海上", "在大海上", "在水面上", "海上"], "desert": ["在沙漠里", "在沙漠中", "沙漠里"],
            "meadow": ["在草地上", "在草原上", "草地上"], "snow": ["在雪地里", "在雪地上", "雪中"],
            "city": ["在城市里", "在城市中", "城市里", "在街上"], "space": ["在太空中", "在太空里", "在月球上", "太空中"],
        },
        "time": {
            "day": ["白天", "在白天", "晴天", "中午"], "sunset": ["日落时", "傍晚", "黄昏", "夕阳下"],
            "night": ["夜晚", "晚上", "夜里", "月光下"],
        },
    },
}
MEASURES = {"boat": "艘", "balloon": "个", "house": "座", "car": "辆", "fish": "条", "rocket": "枚", "snowman": "个",
            "tree": "棵", "star": "颗", "heart": "颗"}
DROP = {"subject": 0.02, "colour": 0.06, "motion": 0.08, "place": 0.08, "time": 0.1}


def values(scene) -> dict:
    """The names of a scene's attribute values."""
    return {a: names[scene[a]] for a, names in ATTRIBUTES.items()}


def caption(scene, rng: np.random.Generator, language: str | None = None, plain: bool = False) -> str:
    """A sentence for a scene; `plain` says everything in the first words of the table."""
    language = language or ("zh" if rng.random() < 0.25 else "en")
    named = values(scene)

    def word(attribute: str) -> str:
        if not plain and rng.random() < DROP[attribute]:
            return ""
        options = WORDS[language][attribute][named[attribute]]
        first = plain or rng.random() < 0.5
        return options[0] if first else options[rng.integers(len(options))]

    subject, colour, motion, place, time = (word(a) for a in ("subject", "colour", "motion", "place", "time"))
    swap = lambda p: not plain and rng.random() < p
    if language == "zh":
        count = f"一{MEASURES[named['subject']]}" if subject and not swap(0.3) else ""
        if colour and not subject:
            colour = colour.rstrip("的")
        if colour and subject and not colour.endswith("的") and len(colour) > 1:
            colour += "的"
        noun = count + colour + (subject or "东西")
        if swap(0.35):
            return "，".join(x for x in (time + place, noun + motion) if x)
        if swap(0.3):
            return "，".join(x for x in (noun + place + motion, time) if x)
        return noun + time + place + motion
    noun = " ".join(x for x in (colour, subject or "thing") if x)
    if not swap(0.15):
        noun = ("the " if swap(0.15) else "an " if noun[0] in "aeiou" else "a ") + noun
    tail = [place, time]
    if swap(0.3):
        tail.reverse()
    if swap(0.15):
        parts = [noun, *tail, motion]
    elif swap(0.12):
        return ", ".join(x for x in (" ".join(x for x in tail if x), f"{noun} {motion}".strip()) if x)
    elif swap(0.1):
        return ", ".join(x for x in (noun, motion, *tail) if x)
    else:
        parts = [noun, ("is " if motion and swap(0.12) else "") + motion, *tail]
    return " ".join(x for x in parts if x)
