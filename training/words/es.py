"""Spanish. Nouns: gender first. Motions and chasing: [gerund|finite]. Adjectives: <masculine|feminine>; * is <o|a>."""

STAR = "<o|a>"
WORDS = {
    "subject": {
        "boat": "m barco; m velero; f barca; m bote", "balloon": "m globo; m globo aerostático",
        "house": "f casa; f casita; f cabaña", "car": "m coche; m carro; m auto; m cochecito", "fish": "m pez; m pececito",
        "rocket": "m cohete; f nave espacial; m cohete espacial", "snowman": "m muñeco de nieve; m hombre de nieve",
        "tree": "m pino; m árbol; m abeto; m árbol de navidad", "star": "f estrella; f estrellita", "heart": "m corazón; m corazoncito",
        "robot": "m robot; m robot de juguete; m androide", "lighthouse": "m faro", "bird": "m pájaro; m pajarito",
        "ball": "f pelota; m balón; f pelota de playa; f bola", "cube": "m cubo; f caja; m bloque",
        "mushroom": "f seta; m hongo; m champiñón", "duck": "m pato; m patito de goma; m pato de goma; m patito",
        "airplane": "m avión; m aeroplano; f avioneta", "flower": "f flor; f margarita; f florecita",
        "ghost": "m fantasma; m fantasmita; m espectro",
    },
    "colour": {
        "red": "roj*; carmesí; escarlata", "orange": "naranja; anaranjad*", "yellow": "amarill*; dorad*",
        "green": "verde; verde esmeralda", "blue": "azul; azul marino", "purple": "morad*; violeta; púrpura; lila",
        "pink": "rosa; rosad*; fucsia", "white": "blanc*; blanquecin*", "black": "negr*; azabache",
        "turquoise": "turquesa; cian; aguamarina",
    },
    "material": {
        "matte": "mate; sin brillo; de acabado mate", "shiny": "brillante; metálic*; reluciente; pulid*",
        "glass": "de cristal; de vidrio; transparente", "glowing": "luminos*; resplandeciente; de neón; que brilla",
    },
    "motion": {
        "left": "[moviéndose|se mueve] hacia la izquierda; [moviéndose|se mueve] a la izquierda; [yendo|va] hacia la izquierda; [avanzando|avanza] hacia la izquierda; "
                "[conduciendo|conduce] hacia la izquierda @car; [navegando|navega] hacia la izquierda @boat; [volando|vuela] hacia la izquierda @airplane bird rocket balloon ghost; [nadando|nada] hacia la izquierda @fish duck",
        "right": "[moviéndose|se mueve] hacia la derecha; [moviéndose|se mueve] a la derecha; [yendo|va] hacia la derecha; [avanzando|avanza] hacia la derecha; "
                 "[conduciendo|conduce] hacia la derecha @car; [navegando|navega] hacia la derecha @boat; [volando|vuela] hacia la derecha @airplane bird rocket balloon ghost; [nadando|nada] hacia la derecha @fish duck",
        "bounce": "[rebotando|rebota]; [saltando|salta]; [botando|bota]; [dando|da] saltos; [saltando|salta] arriba y abajo; [brincando|brinca]",
        "spin": "[girando|gira]; [dando|da] vueltas sobre sí mism*; [rotando|rota]; [girando|gira] sobre sí mism*",
        "rise": "[subiendo|sube]; [elevándose|se eleva]; [despegando|despega] @airplane rocket balloon; [volando|vuela] hacia arriba; [ascendiendo|asciende]",
        "fall": "[cayendo|cae]; [bajando|baja]; [hundiéndose|se hunde]; [cayendo|cae] del cielo; [descendiendo|desciende]",
        "sway": "[balanceándose|se balancea]; [meciéndose|se mece]; [tambaleándose|se tambalea]; [balanceándose|se balancea] de un lado a otro",
        "pulse": "[creciendo|crece] y [encogiendo|encoge]; [palpitando|palpita]; [pulsando|pulsa]; [latiendo|late]; [haciéndose|se hace] grande y pequeñ*",
        "orbit": "[dando|da] vueltas en círculo; [moviéndose|se mueve] en círculos; [yendo|va] en círculos; [volando|vuela] en círculos @airplane bird rocket balloon ghost",
        "zigzag": "[zigzagueando|zigzaguea]; [moviéndose|se mueve] en zigzag; [avanzando|avanza] en zigzag; [yendo|va] en zigzag",
        "approach": "[acercándose|se acerca]; [viniendo|viene] hacia nosotros; [aproximándose|se aproxima]; [acercándose|se acerca] a la cámara",
        "split": "[dividiéndose|se divide] en dos; [partiéndose|se parte] en dos; [separándose|se separa] en dos; [dividiéndose|se divide]",
    },
    "place": {
        "sea": "en el mar; sobre el mar; en el océano; sobre el agua", "desert": "en el desierto; entre dunas; sobre la arena; en un desierto",
        "meadow": "en un prado; en la pradera; sobre la hierba; en el campo; en un jardín", "snow": "en la nieve; sobre la nieve; en un campo nevado; en un paisaje de invierno",
        "city": "en la ciudad; en una ciudad; entre edificios; en una calle; entre rascacielos", "space": "en el espacio; en la luna; en un planeta lejano; en el universo",
        "underwater": "bajo el agua; en el fondo del mar; bajo el mar", "mountains": "en las montañas; en la montaña; entre montañas; en la sierra",
    },
    "time": {
        "morning": "por la mañana; al amanecer; de madrugada; a primera hora", "day": "de día; durante el día; a mediodía; a plena luz",
        "sunset": "al atardecer; al ponerse el sol; al anochecer", "night": "de noche; por la noche; a medianoche; en la oscuridad",
    },
    "weather": {
        "clear": "con buen tiempo; con cielo despejado; sin nubes", "rain": "bajo la lluvia; mientras llueve; con lluvia; en un día lluvioso",
        "snow": "mientras nieva; bajo la nevada; en una ventisca; con copos de nieve", "fog": "en la niebla; con niebla; entre la bruma; con neblina",
    },
    "camera": {
        "still": "cámara fija; plano fijo; la cámara no se mueve", "pan": "la cámara hace una panorámica; panorámica; barrido de cámara; paneo",
        "in": "la cámara se acerca; zoom hacia dentro; travelling de avance; acercamiento", "out": "la cámara se aleja; zoom hacia fuera; travelling de retroceso; alejamiento",
        "orbit": "la cámara gira alrededor; la cámara orbita; plano orbital; cámara orbital", "crane": "la cámara sube; plano de grúa; la cámara se eleva; toma con grúa",
    },
    "look": {
        "natural": "realista; aspecto natural; fotorrealista", "toon": "estilo dibujos animados; estilo cartoon; estilo cómic; como una caricatura",
        "ink": "dibujo a tinta; en tinta; como un dibujo a tinta; estilo tinta china",
    },
    "relation": {
        "alone": "sol*; a solas; en solitario", "beside": "junto a {}; al lado de {}; cerca de {}; &y {}; con {}",
        "above": "encima de {}; sobre {}; por encima de {}; arriba de {}",
        "chasing": "[persiguiendo|persigue] a {}; [siguiendo|sigue] a {}; [corriendo|corre] detrás de {}",
    },
}
THING = "m objeto"
OTHER = "un una el la los las al del que está es y e cosa algo objeto , . - ! ? de en con a por muy grande pequeño pequeña dos hay su".split()
