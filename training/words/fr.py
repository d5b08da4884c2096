"""French. Nouns: gender first. Motions and chasing: [participle|finite]. Adjectives: <masculine|feminine>; * is <|e>."""

STAR = "<|e>"
WORDS = {
    "subject": {
        "boat": "m bateau; m voilier; f barque; m navire", "balloon": "f montgolfière; m ballon à air chaud; m aérostat",
        "house": "f maison; f maisonnette; f cabane; m chalet", "car": "f voiture; f auto; f petite voiture; f automobile",
        "fish": "m poisson; m petit poisson", "rocket": "f fusée; m vaisseau spatial; f fusée spatiale",
        "snowman": "m bonhomme de neige", "tree": "m sapin; m arbre; m pin; m arbre de noël", "star": "f étoile; f petite étoile",
        "heart": "m cœur; m petit cœur", "robot": "m robot; m petit robot; m androïde", "lighthouse": "m phare",
        "bird": "m oiseau; m petit oiseau", "ball": "m ballon de plage; f balle; m ballon", "cube": "m cube; f boîte; m bloc",
        "mushroom": "m champignon; m petit champignon", "duck": "m canard; m canard en plastique; m canard de bain; m petit canard",
        "airplane": "m avion; m petit avion; m aéroplane", "flower": "f fleur; f marguerite; f petite fleur",
        "ghost": "m fantôme; m petit fantôme; m spectre",
    },
    "colour": {
        "red": "rouge; écarlate; vermeil<|le>", "orange": "orange; orangé*", "yellow": "jaune; doré*", "green": "vert*; émeraude",
        "blue": "bleu*; bleu marine", "purple": "violet<|te>; mauve; pourpre; lilas", "pink": "rose; fuchsia; rosé*",
        "white": "blanc<|he>; ivoire", "black": "noir*; ébène", "turquoise": "turquoise; cyan",
    },
    "material": {
        "matte": "mat<|e>; sans reflet", "shiny": "brillant*; métallique; poli*; luisant*",
        "glass": "en verre; de verre; transparent*; en cristal", "glowing": "lumineu<x|se>; fluorescent*; au néon; phosphorescent*",
    },
    "motion": {
        "left": "[avançant|avance] vers la gauche; [allant|va] vers la gauche; [allant|va] à gauche; [se déplaçant|se déplace] vers la gauche; "
                "[roulant|roule] vers la gauche @car robot ball; [naviguant|navigue] vers la gauche @boat; [volant|vole] vers la gauche @airplane bird rocket balloon ghost; [nageant|nage] vers la gauche @fish duck",
        "right": "[avançant|avance] vers la droite; [allant|va] vers la droite; [allant|va] à droite; [se déplaçant|se déplace] vers la droite; "
                 "[roulant|roule] vers la droite @car robot ball; [naviguant|navigue] vers la droite @boat; [volant|vole] vers la droite @airplane bird rocket balloon ghost; [nageant|nage] vers la droite @fish duck",
        "bounce": "[rebondissant|rebondit]; [sautant|saute]; [sautillant|sautille]; [bondissant|bondit]; [faisant|fait] des bonds",
        "spin": "[tournant|tourne] sur <lui-même|elle-même>; [tourbillonnant|tourbillonne]; [pivotant|pivote]; [faisant|fait] la toupie",
        "rise": "[montant|monte]; [s'élevant|s'élève]; [décollant|décolle] @airplane rocket balloon; [s'envolant|s'envole]; [montant|monte] dans les airs",
        "fall": "[tombant|tombe]; [descendant|descend]; [chutant|chute]; [coulant|coule] @boat; [tombant|tombe] du ciel",
        "sway": "[se balançant|se balance]; [oscillant|oscille]; [tanguant|tangue]; [se balançant|se balance] doucement",
        "pulse": "[grandissant|grandit] et [rétrécissant|rétrécit]; [palpitant|palpite]; [gonflant|gonfle] et [dégonflant|dégonfle]; [battant|bat] comme un pouls",
        "orbit": "[tournant|tourne] en rond; [faisant|fait] des cercles; [allant|va] en cercle; [volant|vole] en cercle @airplane bird rocket balloon ghost",
        "zigzag": "[zigzaguant|zigzague]; [avançant|avance] en zigzag; [faisant|fait] des zigzags; [slalomant|slalome]",
        "approach": "[s'approchant|s'approche]; [venant|vient] vers nous; [se rapprochant|se rapproche]; [avançant|avance] vers la caméra",
        "split": "[se divisant|se divise] en deux; [se séparant|se sépare] en deux; [se coupant|se coupe] en deux; [se dédoublant|se dédouble]",
    },
    "place": {
        "sea": "sur la mer; en mer; sur l'océan; sur l'eau", "desert": "dans le désert; parmi les dunes; sur le sable; dans un désert",
        "meadow": "dans un pré; dans la prairie; dans l'herbe; dans un champ; sur la pelouse", "snow": "dans la neige; sur la neige; dans un champ enneigé; dans un paysage d'hiver",
        "city": "en ville; dans la ville; dans une rue; entre les immeubles; devant des gratte-ciel", "space": "dans l'espace; sur la lune; sur une planète lointaine; dans l'univers",
        "underwater": "sous l'eau; au fond de la mer; sous la mer", "mountains": "à la montagne; dans les montagnes; en montagne; devant des montagnes",
    },
    "time": {
        "morning": "le matin; à l'aube; au lever du soleil; au petit matin", "day": "le jour; en plein jour; à midi; de jour; en journée",
        "sunset": "au coucher du soleil; au crépuscule; le soir; à la tombée du jour", "night": "la nuit; de nuit; à minuit; au clair de lune",
    },
    "weather": {
        "clear": "par temps clair; par beau temps; sous un ciel sans nuages", "rain": "sous la pluie; quand il pleut; par temps de pluie; sous une averse",
        "snow": "quand il neige; sous les flocons; dans une tempête de neige; sous des chutes de neige", "fog": "dans le brouillard; dans la brume; par temps de brouillard; sous la brume",
    },
    "camera": {
        "still": "caméra fixe; plan fixe; la caméra ne bouge pas", "pan": "la caméra fait un panoramique; panoramique; la caméra balaie la scène; panoramique lent",
        "in": "la caméra avance; travelling avant; zoom avant; la caméra se rapproche", "out": "la caméra recule; travelling arrière; zoom arrière; la caméra s'éloigne",
        "orbit": "la caméra tourne autour; la caméra orbite; plan en orbite; travelling circulaire", "crane": "la caméra monte; plan à la grue; la caméra s'élève; mouvement de grue",
    },
    "look": {
        "natural": "réaliste; aspect naturel; photoréaliste", "toon": "style dessin animé; en dessin animé; style bande dessinée; façon cartoon",
        "ink": "dessin à l'encre; à l'encre; style encre de chine; croquis à l'encre",
    },
    "relation": {
        "alone": "seul*; tout* seul*", "beside": "à côté de {}; près de {}; &et {}; aux côtés de {}; avec {}",
        "above": "au-dessus de {}; juste au-dessus de {}; planant au-dessus de {}; survolant {}",
        "chasing": "[poursuivant|poursuit] {}; [suivant|suit] {}; [pourchassant|pourchasse] {}; [courant|court] après {}",
    },
}
THING = "m objet"
OTHER = "l'objet un une le la les l' d'un d'une du de des qui est et en chose quelque objet , . - ! ? dans sur avec au aux à très grand grande petit petite deux il y a son sa".split()
