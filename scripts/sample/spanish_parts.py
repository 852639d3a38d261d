"""Spanish products out of PC parts: for every type a category, a name that tells parts apart, specs and sentences."""

COLORS = {
    "Black": "negro", "White": "blanco", "Silver": "plateado", "Gray": "gris", "Red": "rojo", "Blue": "azul",
    "Green": "verde", "Pink": "rosa", "Brown": "marrón", "Gold": "dorado", "Yellow": "amarillo", "Orange": "naranja",
    "Purple": "violeta", "Copper": "cobre", "Teal": "verde azulado", "Beige": "beige", "Clear": "transparente",
    "Turquoise": "turquesa", "Camo": "camuflado", "Gunmetal": "gris oscuro", "Champagne": "champán",
}
BRANDS = (
    "Athena Power", "Bang & Olufsen", "Chester Creek", "Cooler Master", "Creative Labs", "Cyber Acoustics",
    "Das Keyboard", "Endgame Gear", "Final Audio", "Fractal Design", "Geometric Future", "Iceberg Thermal", "In Win",
    "Lian Li", "Meze Audio", "OWC Mercury", "Silicon Power", "Super Flower", "Tripp Lite", "Turtle Beach",
    "Western Digital", "be quiet!",
)
ONE_SPELLING = {"Asus": "ASUS"}


def brand_of(name):
    for brand in BRANDS:
        if name.startswith(brand + " "):
            return brand
    return ONE_SPELLING.get(name.split()[0], name.split()[0])


def number(value, decimals=1):
    """As written in Spanish: a comma before the decimals."""
    text = f"{value:.{decimals}f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
    return text.replace(".", ",")


def span(value, unit):
    if isinstance(value, list):
        return f"de {number(value[0])} a {number(value[1])} {unit}"
    return f"{number(value)} {unit}"


def capacity(gigabytes):
    return f"{number(gigabytes / 1000, 2)} TB" if gigabytes >= 1000 else f"{number(gigabytes)} GB"


def color(part):
    words = [COLORS.get(word.strip(), word.strip().lower()) for word in (part.get("color") or "").split("/")]
    return " y ".join(dict.fromkeys(word for word in words if word))


def in_color(part, verb="Viene"):
    return f"{verb} en color {color(part)}." if color(part) else ""


def with_extra(name, extra):
    return name if extra.lower() in name.lower() else f"{name} {extra}"


def memory(p, say):
    count, size = p["modules"]
    generation, speed = p["speed"]
    kit = f"{count} x {size} GB" if count > 1 else f"1 módulo de {size} GB"
    technical = {"Capacidad": f"{count * size} GB", "Tipo": f"DDR{generation}", "Frecuencia": f"{speed} MHz",
                 "Módulos": kit, "Latencia": f"CL{number(p['cas_latency'])}"}
    use = ("una PC de oficina o para actualizar un equipo" if generation < 4 else
           "edición de video, máquinas virtuales y multitarea pesada" if count * size >= 64 else
           "jugar y trabajar con varios programas abiertos")
    text = say(
        f"Memoria RAM DDR{generation} de {count * size} GB a {speed} MHz, con latencia CL{number(p['cas_latency'])}.",
        f"Kit de memoria DDR{generation} para PC de escritorio: {kit} a {speed} MHz.") + " " + say(
        f"Recomendada para {use}.", f"Una buena opción para {use}.", f"Pensada para {use}.") + " " + in_color(p)
    name = f"{p['name']} DDR{generation}-{speed} ({count} x {size} GB)"
    return "memorias_ram", "Memorias RAM", None, name, technical, text


def internal_drive(p, say):
    is_ssd = p["type"] == "SSD"
    form = number(p["form_factor"]) + '"' if isinstance(p["form_factor"], float) else p["form_factor"]
    technical = {"Capacidad": capacity(p["capacity"]), "Tipo": "SSD" if is_ssd else "Disco rígido",
                 "Formato": form,
                 "Interfaz": p["interface"]}
    if not is_ssd and p["type"]:
        technical["Velocidad"] = f"{p['type']} rpm"
    if p["cache"]:
        technical["Caché"] = f"{p['cache']} MB"
    if is_ssd:
        text = say(f"Disco de estado sólido de {capacity(p['capacity'])} con interfaz {p['interface']}.",
                   f"Unidad SSD de {form} y {capacity(p['capacity'])}, conexión {p['interface']}.") + " " + say(
            "Arranca el sistema en segundos y abre los programas sin esperas.",
            "Ideal para renovar una notebook o una PC que quedó lenta.",
            "Carga juegos y proyectos grandes mucho más rápido que un disco común.")
    else:
        text = say(f"Disco rígido interno de {capacity(p['capacity'])}.",
                   f"Disco mecánico de {capacity(p['capacity'])} con interfaz {p['interface']}.") + " " + say(
            "Espacio de sobra para fotos, películas y copias de seguridad.",
            "Pensado para guardar grandes volúmenes de datos a bajo costo.",
            "Adecuado para servidores, sistemas de videovigilancia y archivo.")
    name = f"{with_extra(p['name'], capacity(p['capacity']).replace(',', '.'))} {p['interface']}"
    return "almacenamiento", "Almacenamiento", "Discos SSD" if is_ssd else "Discos rígidos", name, technical, text


def external_drive(p, say):
    technical = {"Capacidad": capacity(p["capacity"]), "Interfaz": p["interface"] or "USB",
                 "Tipo": "Portátil" if p["type"] == "Portable" else "De escritorio"}
    kind = "portátil" if p["type"] == "Portable" else "de escritorio"
    text = say(f"Disco externo {kind} de {capacity(p['capacity'])}.",
               f"Almacenamiento externo {kind} con {capacity(p['capacity'])} de capacidad.") + " " + say(
        f"Se conecta por {technical['Interfaz']} y no necesita instalación.",
        "Práctico para llevar archivos de un lado a otro y hacer copias de seguridad.",
        "Sirve para respaldar la computadora o ampliar el espacio de una consola.") + " " + in_color(p)
    name = with_extra(p["name"], capacity(p["capacity"]).replace(",", ".")) + " externo"
    return "almacenamiento", "Almacenamiento", "Discos externos", name, technical, text


def video_card(p, say):
    technical = {"Chip": p["chipset"], "Memoria": f"{number(p['memory'])} GB"}
    if p["boost_clock"]:
        technical["Frecuencia máxima"] = f"{p['boost_clock']} MHz"
    if p["length"]:
        technical["Largo"] = f"{number(p['length'])} mm"
    use = ("jugar en 4K y para trabajos de inteligencia artificial" if p["memory"] >= 16 else
           "jugar en 1440p con calidad alta" if p["memory"] >= 10 else
           "jugar en Full HD" if p["memory"] >= 4 else "tareas de oficina y video")
    text = say(f"Placa de video con chip {p['chipset']} y {number(p['memory'])} GB de memoria.",
               f"Tarjeta gráfica {p['chipset']} de {number(p['memory'])} GB.") + " " + say(
        f"Ideal para {use}.", f"Rinde muy bien para {use}.", f"Elegida por quienes buscan una placa para {use}.")
    if p["length"]:
        text += f" Mide {number(p['length'])} mm de largo: conviene revisar el espacio del gabinete."
    return "placas_de_video", "Placas de video", None, with_extra(p["name"], p["chipset"]), technical, text


def monitor(p, say):
    width, height = p["resolution"]
    inches = f'{number(p["screen_size"])}"'
    technical = {"Pantalla": inches, "Resolución": f"{width} x {height}", "Relación de aspecto": p["aspect_ratio"]}
    if p["panel_type"]:
        technical["Panel"] = p["panel_type"]
    if p["refresh_rate"]:
        technical["Frecuencia"] = f"{number(p['refresh_rate'])} Hz"
    if p["response_time"]:
        technical["Tiempo de respuesta"] = f"{number(p['response_time'], 2)} ms"
    panel = f" con panel {p['panel_type']}" if p["panel_type"] else ""
    rate = p["refresh_rate"] or 60
    use = ("juegos competitivos gracias a su alta tasa de refresco" if rate >= 120 else
           "edición de fotos y video por su gran resolución" if height >= 2160 else
           "trabajar con varias ventanas a la vez" if width >= 2560 else "la oficina, el estudio y el hogar")
    text = say(f"Monitor de {inches}{panel} y resolución de {width} x {height}.",
               f"Pantalla de {inches} ({width} x {height}){panel}.") + " " + say(
        f"Adecuado para {use}.", f"Recomendado para {use}.", f"Una muy buena opción para {use}.")
    if rate >= 120:
        text += f" Sus {number(rate)} Hz muestran el movimiento con total fluidez."
    return "monitores", "Monitores", "Monitores gamer" if rate >= 120 else None, p["name"], technical, text


def motherboard(p, say):
    technical = {"Zócalo": p["socket"], "Formato": p["form_factor"], "Memoria máxima": f"{p['max_memory']} GB",
                 "Ranuras de memoria": number(p["memory_slots"])}
    text = say(f"Placa madre {p['form_factor']} con zócalo {p['socket']}.",
               f"Motherboard para procesadores con zócalo {p['socket']}, formato {p['form_factor']}.") + " " + say(
        f"Admite hasta {p['max_memory']} GB de memoria en {p['memory_slots']} ranuras.",
        f"Tiene {p['memory_slots']} ranuras y acepta {p['max_memory']} GB de RAM como máximo.") + " " + in_color(p)
    return "placas_madre", "Placas madre", None, p["name"], technical, text


def cpu(p, say):
    technical = {"Núcleos": number(p["core_count"]), "Frecuencia base": f"{number(p['core_clock'])} GHz",
                 "Consumo": f"{p['tdp']} W", "Arquitectura": p["microarchitecture"]}
    if p["boost_clock"]:
        technical["Frecuencia máxima"] = f"{number(p['boost_clock'])} GHz"
    if p["graphics"]:
        technical["Gráficos"] = p["graphics"]
    cores = "1 núcleo" if p["core_count"] == 1 else f"{p['core_count']} núcleos"
    boost = f" y hasta {number(p['boost_clock'])} GHz en modo turbo" if p["boost_clock"] else ""
    use = ("render, compilación y transmisión en vivo" if p["core_count"] >= 12 else
           "juegos actuales y trabajo creativo" if p["core_count"] >= 6 else
           "navegar, estudiar y usar programas de oficina")
    text = say(f"Procesador de {cores} a {number(p['core_clock'])} GHz{boost}.",
               f"Microprocesador {p['microarchitecture']} con {cores}, {number(p['core_clock'])} GHz{boost}.") + " " + say(
        f"Va muy bien para {use}.", f"Pensado para {use}.", f"Recomendado para {use}.") + " " + (
        f"Incluye gráficos integrados {p['graphics']}." if p["graphics"] else "Necesita una placa de video aparte.")
    return "procesadores", "Procesadores", None, p["name"], technical, text


CASE_KINDS = {"Tower": "torre", "Desktop": "de escritorio", "HTPC": "para la sala", "Slim": "delgado",
              "Bench": "de banco de pruebas"}


def case(p, say):
    kind = next((word for key, word in CASE_KINDS.items() if p["type"].endswith(key)), "torre")
    technical = {"Tipo": p["type"], "Color": color(p) or "sin especificar"}
    if p["external_volume"]:
        technical["Volumen"] = f"{number(p['external_volume'])} litros"
    if p["internal_35_bays"]:
        technical['Bahías de 3,5"'] = number(p["internal_35_bays"])
    sides = {"Tempered Glass": "vidrio templado", "Tinted Tempered Glass": "vidrio templado oscuro", "Mesh": "malla",
             "Acrylic": "acrílico", "Tinted Acrylic": "acrílico oscuro"}
    if p["side_panel"]:
        technical["Panel lateral"] = sides[p["side_panel"]]
    text = say(f"Gabinete {kind} para placas {p['type'].split()[0]}.", f"Gabinete {kind}, modelo {p['type']}.")
    if p["side_panel"]:
        text += " " + say(f"Su panel lateral de {sides[p['side_panel']]} deja ver los componentes."
                          if "Glass" in p["side_panel"] or "Acrylic" in p["side_panel"] else
                          "Su panel de malla favorece el paso del aire.")
    text += " " + say("Amplio y fácil de armar.", "Buen flujo de aire y lugar para ordenar los cables.",
                      "Cuida la temperatura del equipo sin hacer ruido.") + " " + in_color(p)
    return "gabinetes", "Gabinetes", None, f"{p['name']} {p['type']} {p['color'] or ''}".strip(), technical, text


def power_supply(p, say):
    modular = {"Full": "Totalmente modular", "Semi": "Semimodular", "Full / Side": "Totalmente modular"}
    technical = {"Potencia": f"{p['wattage']} W", "Formato": p["type"],
                 "Cableado": modular.get(p["modular"], "Fijo")}
    if p["efficiency"]:
        technical["Certificación"] = "80 Plus" + ("" if p["efficiency"] == "plus" else " " + p["efficiency"].title())
    text = say(f"Fuente de alimentación de {p['wattage']} W, formato {p['type']}.",
               f"Fuente {p['type']} de {p['wattage']} W para PC.") + " "
    if p["efficiency"]:
        text += say(f"Certificada {technical['Certificación']}, desperdicia poca energía.",
                    f"Cuenta con certificación {technical['Certificación']}.") + " "
    text += say(f"Cableado {technical['Cableado'].lower()}.") + " " + (
        "Alcanza para equipos con placas de video exigentes." if p["wattage"] >= 750 else
        "Suficiente para una PC de uso diario.")
    name = with_extra(p["name"], f"{p['wattage']} W")
    return "fuentes", "Fuentes de alimentación", None, name, technical, text


def cpu_cooler(p, say):
    is_liquid = p["size"] is not None
    technical = {"Tipo": "Refrigeración líquida" if is_liquid else "Disipador por aire"}
    if is_liquid:
        technical["Radiador"] = f"{number(p['size'])} mm"
    if p["rpm"]:
        technical["Velocidad"] = span(p["rpm"], "rpm")
    if p["noise_level"]:
        technical["Ruido"] = span(p["noise_level"], "dB")
    text = (say(f"Refrigeración líquida para procesador con radiador de {number(p['size'])} mm.",
                f"Sistema de enfriamiento líquido de {number(p['size'])} mm, sellado y sin mantenimiento.") if is_liquid else
            say("Disipador de aire para procesador.", "Cooler para CPU con ventilador incluido.")) + " "
    text += say("Mantiene bajas las temperaturas aun con el equipo exigido.", "Silencioso y fácil de instalar.",
                "Permite que el procesador trabaje fresco durante horas.") + " " + in_color(p)
    name = f"{p['name']} {p['color']}" if p["color"] else p["name"]
    return "refrigeracion", "Refrigeración", "Líquida" if is_liquid else "Por aire", name, technical, text


def case_fan(p, say):
    technical = {"Tamaño": f"{number(p['size'])} mm", "Control PWM": "sí" if p["pwm"] else "no"}
    if p["rpm"]:
        technical["Velocidad"] = span(p["rpm"], "rpm")
    if p["noise_level"]:
        technical["Ruido"] = span(p["noise_level"], "dB")
    text = say(f"Ventilador de {number(p['size'])} mm para gabinete.",
               f"Cooler de {number(p['size'])} mm para mejorar la ventilación del gabinete.") + " " + (
        "Regula su velocidad por PWM según la temperatura." if p["pwm"] else "Gira a velocidad constante.")
    name = f"{p['name']} {number(p['size'])} mm {p['color'] or ''}".strip()
    return "refrigeracion", "Refrigeración", "Ventiladores", name, technical, text + " " + in_color(p)


CONNECTIONS = {"Wired": "cable USB", "Wireless": "receptor inalámbrico", "Bluetooth Wireless": "Bluetooth"}


def connections(p):
    parts = [CONNECTIONS[part.strip()] for part in (p["connection_type"] or "Wired").split(",")]
    return " y ".join(dict.fromkeys(parts)) if len(set(parts)) < 3 else "cable USB, receptor inalámbrico y Bluetooth"


def keyboard(p, say):
    styles = {"Gaming": "gamer", "Standard": "estándar", "Mini": "compacto", "Slim": "delgado",
              "Ergonomic": "ergonómico", "Ergonomic Split": "ergonómico partido"}
    technical = {"Estilo": styles[p["style"]], "Conexión": connections(p),
                 "Teclado numérico": "no" if p["tenkeyless"] else "sí"}
    lights = {"RGB": "RGB", "White": "blanca", "Blue": "azul", "Multicolor": "multicolor", "Red": "roja",
              "Green": "verde", "Orange": "naranja"}
    if p["switches"]:
        technical["Interruptores"] = p["switches"]
    if p["backlit"]:
        technical["Retroiluminación"] = lights.get(p["backlit"], p["backlit"])
    kind = "mecánico " if p["switches"] else ""
    text = say(f"Teclado {kind}{styles[p['style']]} con conexión por {connections(p)}.",
               f"Teclado {kind}de estilo {styles[p['style']]}, se conecta por {connections(p)}.") + " "
    if p["backlit"]:
        text += say(f"Tiene retroiluminación {technical['Retroiluminación']}.",
                    f"Sus teclas se iluminan con luz {technical['Retroiluminación']}.") + " "
    text += "Sin teclado numérico, ocupa menos lugar." if p["tenkeyless"] else "Incluye teclado numérico."
    return "teclados", "Teclados", None, f"{p['name']} {p['color'] or ''}".strip(), technical, text


def mouse(p, say):
    tracking = {"Optical": "óptico", "Laser": "láser", "Trackball": "de bola", "Touchpad": "táctil"}
    technical = {"Sensor": tracking[p["tracking_method"]], "Conexión": connections(p)}
    if p["max_dpi"]:
        technical["Resolución"] = f"{p['max_dpi']} DPI"
    hands = {"Right": "para diestros", "Left": "para zurdos", "Both": "para ambas manos"}
    if p["hand_orientation"]:
        technical["Uso"] = hands[p["hand_orientation"]]
    text = say(f"Mouse {technical['Sensor']} con conexión por {connections(p)}.",
               f"Mouse con sensor {technical['Sensor']}, se conecta por {connections(p)}.") + " "
    if p["max_dpi"]:
        text += say(f"Llega a {p['max_dpi']} DPI.", f"Sensibilidad de hasta {p['max_dpi']} DPI.") + " "
    text += ("Preciso para juegos de disparos." if (p["max_dpi"] or 0) >= 8000 else
             "Cómodo para trabajar todo el día.") + " " + in_color(p)
    return "mouses", "Mouses", None, f"{p['name']} {p['color'] or ''}".strip(), technical, text


def headphones(p, say):
    kinds = {"Circumaural": "circumaurales", "Supra-aural": "supraaurales", "In Ear": "intraurales",
             "Earbud": "de botón"}
    technical = {"Tipo": kinds[p["type"]], "Inalámbricos": "sí" if p["wireless"] else "no",
                 "Micrófono": "sí" if p["microphone"] else "no"}
    if p["frequency_response"]:
        low, high = p["frequency_response"]
        technical["Respuesta en frecuencia"] = f"{number(low)} Hz a {number(high)} kHz"
    wires = "inalámbricos" if p["wireless"] else "con cable"
    design = {"Circumaural": "circumaural", "Supra-aural": "supraaural", "In Ear": "intraural", "Earbud": "de botón"}
    text = say(f"Auriculares {kinds[p['type']]} {wires}.",
               f"Auriculares {wires} de diseño {design[p['type']]}.") + " " + (
        say("Traen micrófono para charlar en línea y hacer videollamadas.",
            "Con micrófono incorporado, listos para jugar en equipo.")
        if p["microphone"] else say("Pensados para disfrutar la música.", "Para escuchar música y películas con buen detalle."))
    text += " " + in_color(p, "Vienen")
    return "auriculares", "Auriculares", None, f"{p['name']} {p['color'] or ''}".strip(), technical, text


def speakers(p, say):
    technical = {"Configuración": number(p["configuration"])}
    if p["wattage"]:
        technical["Potencia"] = f"{number(p['wattage'])} W"
    power = f" de {number(p['wattage'])} W" if p["wattage"] else ""
    text = say(f"Parlantes{power} para computadora, configuración {number(p['configuration'])}.",
               f"Sistema de sonido {number(p['configuration'])}{power}.") + " " + say(
        "Suenan claros para música, películas y juegos.", "Llenan la habitación sin distorsión.") + " " + in_color(p, "Vienen")
    return "parlantes", "Parlantes", None, f"{p['name']} {p['color'] or ''}".strip(), technical, text


def webcam(p, say):
    best = p["resolutions"][0]
    technical = {"Resolución": best, "Conexión": p["connection"]}
    if p["fov"]:
        technical["Ángulo de visión"] = f"{number(p['fov'])}°"
    text = say(f"Cámara web con resolución {best}.", f"Webcam {best} que se conecta por {p['connection']}.") + " " + say(
        "Lista para clases virtuales y reuniones de trabajo.", "Buena imagen para videollamadas y transmisiones.")
    if p["focus_type"] == "Auto":
        text += " Tiene enfoque automático."
    return "camaras_web", "Cámaras web", None, p["name"], technical, text


def ups(p, say):
    technical = {"Potencia": f"{p['capacity_w']} W", "Capacidad": f"{p['capacity_va']} VA"}
    text = say(f"UPS de {p['capacity_va']} VA ({p['capacity_w']} W).",
               f"Sistema de alimentación ininterrumpida de {p['capacity_va']} VA.") + " " + say(
        "Mantiene la computadora encendida durante un corte de luz.",
        "Protege los equipos de cortes y picos de tensión.",
        "Da tiempo a guardar el trabajo cuando se corta la energía.")
    return "ups", "UPS y estabilizadores", None, p["name"], technical, text


def wireless_card(p, say):
    technical = {"Norma": p["protocol"], "Interfaz": p["interface"]}
    text = say(f"Placa de red inalámbrica {p['protocol']} con interfaz {p['interface']}.",
               f"Adaptador {p['protocol']} para conectar la PC a la red sin cables ({p['interface']}).") + " " + say(
        "Señal estable en toda la casa.", "Agrega conexión inalámbrica a equipos que no la tienen.")
    return "redes", "Redes", "Placas Wi-Fi", p["name"], technical, text


COMPOSERS = {
    "memory": ("RAM", memory), "internal-hard-drive": ("ALM", internal_drive), "video-card": ("GPU", video_card),
    "monitor": ("MON", monitor), "motherboard": ("MOT", motherboard), "keyboard": ("TEC", keyboard),
    "headphones": ("AUR", headphones), "cpu": ("CPU", cpu), "case": ("GAB", case), "mouse": ("MOU", mouse),
    "power-supply": ("FUE", power_supply), "cpu-cooler": ("REF", cpu_cooler), "external-hard-drive": ("EXT", external_drive),
    "case-fan": ("VEN", case_fan), "speakers": ("PAR", speakers), "wireless-network-card": ("RED", wireless_card),
    "webcam": ("WEB", webcam), "ups": ("UPS", ups),
}
