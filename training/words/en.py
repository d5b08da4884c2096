"""English. Motions and chasing: [participle|finite]. Materials: + stands right before the noun, ~ after it."""

STAR = ""
WORDS = {
    "subject": {
        "boat": "boat; sailing boat; sailboat; ship", "balloon": "balloon; hot-air balloon; hot air balloon",
        "house": "house; cottage; little house; home; cabin", "car": "car; automobile; little car; toy car",
        "fish": "fish; little fish; goldfish", "rocket": "rocket; spaceship; space rocket; rocket ship",
        "snowman": "snowman; snow man", "tree": "tree; pine tree; fir tree; pine; christmas tree",
        "star": "star; little star", "heart": "heart; love heart", "robot": "robot; toy robot; android",
        "lighthouse": "lighthouse; light tower", "bird": "bird; little bird; birdie",
        "ball": "ball; beach ball; toy ball", "cube": "cube; box; block",
        "mushroom": "mushroom; toadstool; little mushroom", "duck": "duck; rubber duck; toy duck; duckling",
        "airplane": "airplane; plane; aeroplane; aircraft", "flower": "flower; daisy; blossom; little flower",
        "ghost": "ghost; little ghost; spirit; spook",
    },
    "colour": {
        "red": "red; crimson; scarlet", "orange": "orange; tangerine", "yellow": "yellow; golden; lemon",
        "green": "green; emerald; lime", "blue": "blue; navy; sapphire", "purple": "purple; violet; lilac",
        "pink": "pink; rosy; magenta", "white": "white; snowy white; ivory", "black": "black; jet black; ebony",
        "turquoise": "turquoise; teal; cyan; aqua",
    },
    "material": {
        "matte": "matte; matt; dull; ~with a matte finish", "shiny": "shiny; glossy; polished; metallic; gleaming",
        "glass": "+glass; transparent; ~made of glass; see-through; +crystal",
        "glowing": "glowing; luminous; +neon; shining; lit up",
    },
    "motion": {
        "left": "[moving|moves] left; [going|goes] left; [moving|moves] to the left; [travelling|travels] to the left; "
                "[driving|drives] left @car; [driving|drives] to the left @car robot; [drifting|drifts] to the left @boat balloon ghost duck ball; "
                "[sailing|sails] left @boat; [floating|floats] away to the left @boat balloon ghost; [swimming|swims] left @fish duck; "
                "[flying|flies] left @airplane bird rocket balloon ghost star; [heading|heads] left; [sliding|slides] left",
        "right": "[moving|moves] right; [going|goes] right; [moving|moves] to the right; [travelling|travels] to the right; "
                 "[driving|drives] right @car; [driving|drives] to the right @car robot; [drifting|drifts] to the right @boat balloon ghost duck ball; "
                 "[sailing|sails] right @boat; [floating|floats] away to the right @boat balloon ghost; [swimming|swims] right @fish duck; "
                 "[flying|flies] right @airplane bird rocket balloon ghost star; [heading|heads] right; [sliding|slides] right",
        "bounce": "[bouncing|bounces]; [jumping|jumps]; [hopping|hops]; [bouncing|bounces] up and down; [jumping|jumps] up and down; [leaping|leaps]",
        "spin": "[spinning|spins]; [rotating|rotates]; [turning|turns] around; [twirling|twirls]; [spinning|spins] around; [whirling|whirls]",
        "rise": "[rising|rises]; [flying|flies] up; [going|goes] up; [taking|takes] off @airplane rocket bird balloon; [floating|floats] up; "
                "[rising|rises] into the air; [ascending|ascends]; [lifting|lifts] off @rocket balloon airplane",
        "fall": "[falling|falls]; [falling|falls] down; [sinking|sinks]; [dropping|drops]; [going|goes] down; [dropping|drops] from the sky; [descending|descends]",
        "sway": "[swaying|sways]; [rocking|rocks]; [rocking|rocks] gently; [swinging|swings] from side to side; [wobbling|wobbles]; [swaying|sways] back and forth; [tilting|tilts] from side to side",
        "pulse": "[pulsing|pulses]; [growing|grows] and [shrinking|shrinks]; [getting|gets] bigger and smaller; [pulsating|pulsates]; [throbbing|throbs]; [breathing|breathes]",
        "orbit": "[going|goes] round in circles; [circling|circles]; [moving|moves] in circles; [going|goes] around in circles; [driving|drives] in circles @car robot; [flying|flies] in circles @airplane bird rocket balloon ghost",
        "zigzag": "[zigzagging|zigzags]; [moving|moves] in zigzags; [weaving|weaves] from side to side; [going|goes] in a zigzag; [swerving|swerves]",
        "approach": "[coming|comes] closer; [approaching|approaches]; [moving|moves] towards us; [coming|comes] towards the viewer; [coming|comes] nearer; [getting|gets] closer",
        "split": "[splitting|splits] in two; [splitting|splits] into two; [dividing|divides] in two; [splitting|splits] apart and [joining|joins] again; [splitting|splits]; [breaking|breaks] in two",
    },
    "place": {
        "sea": "on the sea; at sea; on the ocean; on the water; in the ocean; over the sea",
        "desert": "in the desert; in a sandy desert; among sand dunes; on the sand; in a desert",
        "meadow": "in a meadow; in the meadow; on the grass; in a field; on a lawn; in a grassy field",
        "snow": "on the snow; in the snow; on a snowfield; in a snowy field; in a winter landscape",
        "city": "in the city; in a city; in town; among tall buildings; on a city street; in front of skyscrapers",
        "space": "in space; in outer space; on the moon; on a distant planet; in the universe",
        "underwater": "under water; underwater; under the sea; at the bottom of the sea; on the sea floor",
        "mountains": "in the mountains; among mountains; in front of mountains; on a mountain; in the hills",
    },
    "time": {
        "morning": "in the morning; at dawn; at sunrise; in the early morning; at daybreak",
        "day": "by day; in daylight; in the daytime; at noon; during the day; at midday",
        "sunset": "at sunset; at dusk; in the evening; in the sunset; as the sun sets; at twilight",
        "night": "at night; by night; in the moonlight; in the dark; at midnight; under the night sky",
    },
    "weather": {
        "clear": "in clear weather; in fine weather; under a clear sky; without a cloud",
        "rain": "in the rain; while it rains; in rainy weather; on a rainy day; while it is raining; in a downpour",
        "snow": "while it snows; in falling snow; while it is snowing; in a snowstorm; with snowflakes in the air; in a blizzard",
        "fog": "in the fog; in the mist; in thick fog; in foggy weather; in a haze",
    },
    "camera": {
        "still": "still camera; static shot; fixed camera; the camera does not move",
        "pan": "the camera pans; camera pan; panning shot; slow pan; the camera sweeps across",
        "in": "the camera moves in; dolly in; zoom in; slow zoom in; the camera gets closer; push in",
        "out": "the camera moves out; dolly out; zoom out; slow zoom out; the camera pulls back; pull back",
        "orbit": "the camera circles; orbit shot; the camera orbits; the camera goes around it; orbiting camera",
        "crane": "crane shot; the camera rises; the camera goes up; camera crane; the camera moves upwards",
    },
    "look": {
        "natural": "realistic; natural look; photorealistic; like a photo",
        "toon": "cartoon style; in cartoon style; as a cartoon; cel-shaded; comic style; like a cartoon",
        "ink": "ink drawing; as an ink drawing; in ink; ink sketch; pen and ink; like an ink painting",
    },
    "relation": {
        "alone": "alone; all alone; by itself; on its own",
        "beside": "next to {}; beside {}; near {}; &and {}; by {}; alongside {}; with {}",
        "above": "above {}; over {}; high above {}; on top of {}",
        "chasing": "[chasing|chases] {}; [following|follows] {}; [running|runs] after {}; [pursuing|pursues] {}; [hunting|hunts] {}",
    },
}
THING = "thing"
OTHER = "while a an the is that and thing something object ' , . - ! ? of in on at with to from up down very big small large tiny little two one it its there are some".split()
