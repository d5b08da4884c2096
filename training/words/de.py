"""German. Nouns: gender first, [nominative|accusative|dative] where they differ. Adjectives: * is [er|e|es|en|].

Motions: verb _ rest; adverbs go where _ stands; +rest is a prefix that joins the verb at the end of a clause.
"""

STAR = "[er|e|es|en|]"
WORDS = {
    "subject": {
        "boat": "n Boot; n Segelboot; n Schiff; n Schiffchen", "balloon": "m Heißluftballon; m Ballon; m Luftballon",
        "house": "n Haus; n Häuschen; f Hütte", "car": "n Auto; m Wagen; n Spielzeugauto; m PKW", "fish": "m Fisch; n Fischlein; m Goldfisch",
        "rocket": "f Rakete; n Raumschiff; f Weltraumrakete", "snowman": "m Schneemann", "tree": "f Tanne; m Tannenbaum; m Baum; f Kiefer; m Weihnachtsbaum",
        "star": "m Stern; n Sternchen", "heart": "n [Herz|Herz|Herzen]; n Herzchen", "robot": "m Roboter; m Spielzeugroboter; m Blechroboter",
        "lighthouse": "m Leuchtturm", "bird": "m Vogel; n Vögelchen; m Piepmatz", "ball": "m Ball; m Wasserball; m Strandball",
        "cube": "m Würfel; f Kiste; m Block", "mushroom": "m Pilz; m Fliegenpilz; n Pilzchen", "duck": "f Ente; f Gummiente; f Badeente; n Entchen",
        "airplane": "n Flugzeug; m Flieger; f Propellermaschine", "flower": "f Blume; f Blüte; n Blümchen", "ghost": "m Geist; n Gespenst; n Schlossgespenst",
    },
    "colour": {
        "red": "rot*; knallrot*; scharlachrot*", "orange": "orange[r||s|n|]; orangefarben*", "yellow": "gelb*; golden*; goldgelb*",
        "green": "grün*; grasgrün*", "blue": "blau*; dunkelblau*", "purple": "lila; violett*; purpurn*", "pink": "rosa; pink*; rosafarben*",
        "white": "weiß*; schneeweiß*", "black": "schwarz*; pechschwarz*", "turquoise": "türkis*; türkisfarben*; türkisblau*",
    },
    "material": {
        "matte": "matt*; stumpf*", "shiny": "glänzend*; metallisch*; poliert*; blank*",
        "glass": "gläsern*; ~aus Glas; durchsichtig*; transparent*", "glowing": "leuchtend*; strahlend*; glühend*",
    },
    "motion": {
        "left": "bewegt sich _ nach links; fährt _ nach links @car boat; schwimmt _ nach links @fish duck boat; fliegt _ nach links @airplane bird rocket balloon ghost star; zieht _ nach links; gleitet _ nach links; segelt _ nach links @boat",
        "right": "bewegt sich _ nach rechts; fährt _ nach rechts @car boat; schwimmt _ nach rechts @fish duck boat; fliegt _ nach rechts @airplane bird rocket balloon ghost star; zieht _ nach rechts; gleitet _ nach rechts; segelt _ nach rechts @boat",
        "bounce": "hüpft _; springt _; springt _ auf und ab; hopst _; hüpft _ auf und ab; prallt _ auf und ab @ball",
        "spin": "dreht sich _; rotiert _; dreht sich _ um sich selbst; wirbelt _ herum; kreiselt _",
        "rise": "steigt _ +auf; fliegt _ nach oben; hebt _ +ab @airplane rocket balloon bird; steigt _ in die Luft; schwebt _ nach oben",
        "fall": "fällt _; fällt _ herunter; sinkt _; stürzt _ +ab; fällt _ vom Himmel; sinkt _ nach unten",
        "sway": "schwankt _; schaukelt _; wiegt sich _ hin und her; wackelt _; schaukelt _ hin und her",
        "pulse": "pulsiert _; wird _ größer und kleiner; wächst und schrumpft _; pocht _",
        "orbit": "kreist _; bewegt sich _ im Kreis; fährt _ im Kreis @car boat; fliegt _ im Kreis @airplane bird rocket balloon ghost; zieht _ Runden",
        "zigzag": "bewegt sich _ im Zickzack; fährt _ im Zickzack @car boat; fliegt _ im Zickzack @airplane bird rocket balloon ghost; läuft _ im Zickzack; fährt _ Slalom @car boat",
        "approach": "kommt _ näher; nähert sich _; kommt _ auf uns zu; kommt _ zur Kamera",
        "split": "teilt sich _ in zwei; teilt sich _; spaltet sich _ in zwei Teile; zerfällt _ in zwei; trennt sich _ in zwei",
    },
    "place": {
        "sea": "auf dem Meer; auf See; auf dem Ozean; auf dem Wasser", "desert": "in der Wüste; zwischen Sanddünen; auf dem Sand; in einer Wüste",
        "meadow": "auf einer Wiese; auf der Wiese; im Gras; auf einem Feld; auf dem Rasen", "snow": "im Schnee; auf dem Schnee; auf einem Schneefeld; in einer Winterlandschaft",
        "city": "in der Stadt; in einer Stadt; auf der Straße; zwischen Hochhäusern; vor Hochhäusern", "space": "im Weltraum; im All; auf dem Mond; auf einem fernen Planeten; im Weltall",
        "underwater": "unter Wasser; auf dem Meeresgrund; im Meer; unter dem Meer", "mountains": "in den Bergen; im Gebirge; vor Bergen; in den Alpen",
    },
    "time": {
        "morning": "am Morgen; morgens; bei Sonnenaufgang; in der Früh", "day": "am Tag; tagsüber; mittags; bei Tageslicht; am Mittag",
        "sunset": "bei Sonnenuntergang; am Abend; abends; in der Dämmerung", "night": "in der Nacht; nachts; bei Nacht; im Mondlicht; um Mitternacht",
    },
    "weather": {
        "clear": "bei klarem Wetter; bei gutem Wetter; bei klarem Himmel", "rain": "im Regen; bei Regen; bei Regenwetter; bei strömendem Regen",
        "snow": "bei Schneefall; im Schneetreiben; im Schneesturm; bei fallendem Schnee", "fog": "im Nebel; bei Nebel; im Dunst; bei dichtem Nebel",
    },
    "camera": {
        "still": "feste Kamera; starre Kamera; die Kamera steht still", "pan": "die Kamera schwenkt; Kameraschwenk; langsamer Schwenk; Schwenk zur Seite",
        "in": "die Kamera fährt heran; Kamerafahrt nach vorn; die Kamera zoomt heran; Zoom hinein", "out": "die Kamera fährt zurück; Kamerafahrt zurück; die Kamera zoomt heraus; Zoom heraus",
        "orbit": "die Kamera kreist; die Kamera fährt im Kreis; Kamera umkreist das Motiv; Orbitfahrt", "crane": "die Kamera steigt; Kranfahrt; die Kamera fährt nach oben; Kamerakran",
    },
    "look": {
        "natural": "realistisch; natürlicher Stil; fotorealistisch", "toon": "im Zeichentrickstil; als Zeichentrick; im Cartoonstil; als Comic",
        "ink": "als Tuschezeichnung; Tuschezeichnung; im Tuschestil; mit Tinte gezeichnet",
    },
    "relation": {
        "alone": "allein; ganz allein; für sich", "beside": "neben {dat}; nahe bei {dat}; &und {nom}; bei {dat}; zusammen mit {dat}",
        "above": "über {dat}; hoch über {dat}; oberhalb von {dat}",
        "chasing": "verfolgt _ {acc}; jagt _ {acc}; auf der Jagd nach {dat}",
    },
}
THING = "n Ding"
OTHER = ("ein eine einen einem einer der die das den dem und ist Ding etwas Objekt , . - ! ? mit von in im auf sehr groß großer große großes "
         "klein kleiner kleine kleines zwei sich es").split()
