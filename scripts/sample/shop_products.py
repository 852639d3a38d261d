"""The sample's notebooks, phones and appliances, written for it: the three of the guide and 60 more."""

NOTEBOOKS = """
ASUS|ROG Strix G15|G513RM|AMD Ryzen 7 6800H|16|512 GB|15,6" Full HD 144 Hz|GeForce RTX 3060|1549.00|8|gamer
Dell|Latitude 3420|L3420|Intel Core i5-1135G7|8|256 GB|14" Full HD|Intel Iris Xe|789.00|15|empresa
Lenovo|ThinkPad T14|T14 Gen 3|Intel Core i7-1255U|16|512 GB|14" Full HD|Intel Iris Xe|1329.00|11|empresa
ASUS|TUF Gaming F15|FX507ZC|Intel Core i5-12500H|16|512 GB|15,6" Full HD 144 Hz|GeForce RTX 3050|1099.00|12|gamer
ASUS|ROG Zephyrus G14|GA402XV|AMD Ryzen 9 7940HS|32|1 TB|14" QHD 165 Hz|GeForce RTX 4060|2199.00|3|gamer
ASUS|VivoBook 15|X1504ZA|Intel Core i3-1215U|8|256 GB|15,6" Full HD|Intel UHD|499.00|22|estudio
ASUS|ZenBook 14 OLED|UX3402|Intel Core i7-1260P|16|512 GB|14" OLED 2,8K|Intel Iris Xe|1249.00|6|liviana
Dell|Inspiron 15 3520|I3520|Intel Core i5-1235U|8|512 GB|15,6" Full HD 120 Hz|Intel Iris Xe|699.00|18|estudio
Dell|XPS 13 Plus|9320|Intel Core i7-1360P|16|1 TB|13,4" 3,5K OLED|Intel Iris Xe|1899.00|2|liviana
Dell|G15 5530|G5530|Intel Core i7-13650HX|16|512 GB|15,6" Full HD 165 Hz|GeForce RTX 4060|1499.00|7|gamer
Dell|Vostro 3520|V3520|Intel Core i3-1215U|8|256 GB|15,6" Full HD|Intel UHD|529.00|0|empresa
HP|Victus 15|15-FA0031|Intel Core i5-12450H|8|512 GB|15,6" Full HD 144 Hz|GeForce GTX 1650|899.00|14|gamer
HP|Pavilion 14|14-DV2075|Intel Core i5-1235U|8|256 GB|14" Full HD|Intel Iris Xe|679.00|16|estudio
HP|EliteBook 840 G9|840G9|Intel Core i7-1265U|16|512 GB|14" WUXGA|Intel Iris Xe|1449.00|5|empresa
HP|245 G9|245G9|AMD Ryzen 5 5625U|8|256 GB|14" HD|AMD Radeon|459.00|27|estudio
Lenovo|Legion 5|15IAH7H|Intel Core i7-12700H|16|1 TB|15,6" QHD 165 Hz|GeForce RTX 3060|1649.00|4|gamer
Lenovo|IdeaPad 3|15ALC6|AMD Ryzen 5 5500U|8|256 GB|15,6" Full HD|AMD Radeon|519.00|30|estudio
Lenovo|Yoga 7i|14IAL7|Intel Core i5-1240P|16|512 GB|14" 2,2K táctil|Intel Iris Xe|1079.00|6|liviana
Lenovo|ThinkPad X1 Carbon|Gen 11|Intel Core i7-1365U|32|1 TB|14" WUXGA|Intel Iris Xe|2349.00|2|empresa
Lenovo|V15 G3|V15G3|Intel Core i5-1235U|8|256 GB|15,6" Full HD|Intel UHD|569.00|19|empresa
Acer|Nitro 5|AN515-58|Intel Core i5-12450H|16|512 GB|15,6" Full HD 144 Hz|GeForce RTX 3050 Ti|1149.00|9|gamer
Acer|Aspire 5|A515-57|Intel Core i5-1235U|8|512 GB|15,6" Full HD|Intel Iris Xe|649.00|21|estudio
Acer|Swift 3|SF314-512|Intel Core i7-1260P|16|512 GB|14" Full HD|Intel Iris Xe|999.00|5|liviana
MSI|Katana 15|B13VFK|Intel Core i7-13620H|16|1 TB|15,6" Full HD 144 Hz|GeForce RTX 4060|1599.00|6|gamer
Apple|MacBook Air 13|M2|Apple M2|8|256 GB|13,6" Liquid Retina|Apple de 8 núcleos|1299.00|10|liviana
"""
NOTEBOOK_USES = {
    "gamer": ("Gamer", "Notebook gamer con {gpu} y pantalla de {screen}. Corre los juegos actuales con fluidez y su "
              "sistema de enfriamiento la mantiene estable en partidas largas."),
    "empresa": ("Empresa", "Notebook para la empresa con {cpu} y {ram} GB de memoria. Resistente, con teclado cómodo y "
                "funciones de seguridad para trabajar en la oficina o a distancia."),
    "estudio": ("Estudio", "Notebook para estudiar y para el hogar: {cpu}, {ram} GB de memoria y disco SSD de {disk}. "
                "Alcanza para clases virtuales, documentos y series."),
    "liviana": ("Ultralivianas", "Notebook delgada y liviana con pantalla de {screen}. La batería acompaña toda la jornada, "
                "ideal para viajar y trabajar en cualquier lugar."),
}
PHONES = """
Samsung|Galaxy S23|SM-S911|6,1" AMOLED 120 Hz|8|128|50 Mpx|3900|sí|749.00|13
Samsung|Galaxy S23 Ultra|SM-S918|6,8" AMOLED 120 Hz|12|256|200 Mpx|5000|sí|1199.00|5
Samsung|Galaxy A54|SM-A546|6,4" AMOLED 120 Hz|8|256|50 Mpx|5000|sí|399.00|24
Samsung|Galaxy A34|SM-A346|6,6" AMOLED 120 Hz|6|128|48 Mpx|5000|sí|319.00|28
Samsung|Galaxy A14|SM-A145|6,6" LCD 60 Hz|4|128|50 Mpx|5000|no|179.00|40
Samsung|Galaxy Z Flip5|SM-F731|6,7" AMOLED plegable|8|256|12 Mpx|3700|sí|999.00|3
Motorola|Edge 40|XT2303|6,55" OLED 144 Hz|8|256|50 Mpx|4400|sí|549.00|11
Motorola|Moto G84|XT2347|6,5" OLED 120 Hz|8|256|50 Mpx|5000|sí|299.00|26
Motorola|Moto G54|XT2343|6,5" LCD 120 Hz|8|256|50 Mpx|5000|sí|229.00|33
Motorola|Moto E13|XT2345|6,5" LCD 60 Hz|2|64|13 Mpx|5000|no|109.00|45
Motorola|Razr 40|XT2323|6,9" OLED plegable|8|256|64 Mpx|4200|sí|699.00|4
Apple|iPhone 14|A2882|6,1" OLED 60 Hz|6|128|12 Mpx|3279|sí|899.00|9
Apple|iPhone 15 Pro|A3102|6,1" OLED 120 Hz|8|128|48 Mpx|3274|sí|1299.00|4
Apple|iPhone SE|A2783|4,7" LCD 60 Hz|4|64|12 Mpx|2018|sí|499.00|0
Xiaomi|Redmi Note 12|23021|6,67" AMOLED 120 Hz|6|128|50 Mpx|5000|no|229.00|29
Xiaomi|Redmi 12C|22120|6,71" LCD 60 Hz|4|128|50 Mpx|5000|no|139.00|38
Xiaomi|Poco X5 Pro|22101|6,67" AMOLED 120 Hz|8|256|108 Mpx|5000|sí|359.00|14
TCL|40 SE|T610K|6,75" LCD 90 Hz|4|128|50 Mpx|5010|no|149.00|20
"""
APPLIANCES = """
Samsung|Heladera No Frost inverter|RT38K5932|Heladeras|Capacidad: 382 litros; Tecnología: No Frost inverter; Eficiencia: A++|949.00|6|Enfría en forma pareja y sin escarcha. El freezer superior tiene lugar para las compras de toda la familia.
Whirlpool|Heladera con freezer|WRM45|Heladeras|Capacidad: 375 litros; Tecnología: No Frost; Eficiencia: A|729.00|8|Heladera No Frost con freezer y estantes de vidrio templado, práctica para familias numerosas.
Drean|Lavarropas automático Next|8.12 ECO|Lavarropas|Capacidad: 8 kg; Centrifugado: 1200 rpm; Eficiencia: A++|529.00|10|Lavarropas de carga frontal con programas cortos que ahorran agua y energía.
LG|Lavasecarropas inverter|WD12|Lavarropas|Capacidad: 12 kg de lavado y 7 kg de secado; Motor: inverter de acople directo|1149.00|3|Lava y seca la ropa en un solo equipo, con un motor silencioso y muy duradero.
Samsung|Lavarropas EcoBubble|WW90T|Lavarropas|Capacidad: 9 kg; Centrifugado: 1400 rpm; Eficiencia: A+++|699.00|7|Las burbujas disuelven el jabón y cuidan las telas delicadas aun con agua fría.
BGH|Aire acondicionado split frío calor|BS35WCHS|Climatización|Potencia: 3500 W; Frigorías: 3000; Eficiencia: A|599.00|12|Equipo split para enfriar en verano y calefaccionar en invierno ambientes medianos.
Surrey|Aire acondicionado inverter|553AIQ|Climatización|Potencia: 2650 W; Frigorías: 2250; Tecnología: inverter|649.00|9|Aire acondicionado inverter de bajo consumo y funcionamiento silencioso, ideal para el dormitorio.
Liliana|Ventilador de pie|VP20|Climatización|Diámetro: 20 pulgadas; Velocidades: 3; Potencia: 90 W|59.00|35|Ventilador de pie con altura regulable y oscilación para los días de calor.
Atma|Horno eléctrico|HG5010|Cocina|Capacidad: 50 litros; Potencia: 2000 W; Temporizador: 90 minutos|129.00|17|Horno eléctrico de mesada con grill y convección, dora parejo y gratina.
BGH|Microondas con grill|B223DS9|Cocina|Capacidad: 23 litros; Potencia: 800 W; Funciones: grill|149.00|19|Microondas digital con grill para calentar, descongelar y gratinar en pocos minutos.
Philips|Licuadora ProBlend|HR2221|Cocina|Potencia: 700 W; Vaso: 2 litros de vidrio; Velocidades: 5|79.00|25|Licuadora potente que pica hielo y prepara licuados y sopas cremosas.
Philips|Freidora de aire|HD9252|Cocina|Capacidad: 4,1 litros; Potencia: 1400 W; Control: táctil|139.00|21|Cocina papas y milanesas crocantes con muy poco aceite.
Oster|Cafetera espresso|PrimaLatte|Cocina|Presión: 15 bares; Depósito: 1,5 litros; Espumador: automático|199.00|11|Prepara café espresso, capuchino y café con leche con solo tocar un botón.
Essen|Olla a presión|Express 7|Cocina|Capacidad: 7 litros; Material: aluminio fundido; Seguridad: triple válvula|119.00|14|Olla a presión que reduce a la mitad el tiempo de cocción de guisos y legumbres.
Peabody|Pava eléctrica con corte para mate|PE-KD1810|Cocina|Capacidad: 1,7 litros; Potencia: 2200 W; Corte: 80 °C|39.00|40|Pava eléctrica con corte automático a la temperatura justa para el mate.
Philips|Aspiradora sin bolsa|FC9331|Limpieza|Potencia: 1900 W; Depósito: 1,5 litros; Filtro: HEPA|169.00|13|Aspiradora ciclónica con filtro para alérgicos, levanta pelos de mascotas de alfombras y pisos.
Xiaomi|Aspiradora robot|Vacuum S10|Limpieza|Succión: 4000 Pa; Navegación: láser; Autonomía: 130 minutos|279.00|8|Robot que aspira y trapea solo, reconoce los ambientes y vuelve a su base a cargarse.
Samsung|Smart TV 4K Crystal|UN55CU7000|Televisores|Pantalla: 55 pulgadas; Resolución: 4K; Sistema: Tizen|549.00|16|Televisor 4K de 55 pulgadas con acceso a las principales plataformas de series y películas.
LG|Smart TV OLED|OLED55C3|Televisores|Pantalla: 55 pulgadas; Resolución: 4K OLED; Frecuencia: 120 Hz|1399.00|4|Negros perfectos y colores intensos para ver cine en casa y jugar con la consola.
TCL|Smart TV Google TV|L43P635|Televisores|Pantalla: 43 pulgadas; Resolución: 4K; Sistema: Google TV|329.00|22|Televisor inteligente con control por voz, de buen tamaño para el dormitorio o la cocina.
"""


def rows(table):
    return [line.split("|") for line in table.strip().splitlines()]


def notebooks():
    for brand, name, model, cpu, ram, disk, screen, gpu, price, stock, use in rows(NOTEBOOKS):
        subcategory, text = NOTEBOOK_USES[use]
        yield {
            "name": f"{brand} {name}", "brand": brand, "model": model, "price": float(price), "stock": int(stock),
            "category": "laptops", "category_display_name": "Notebooks", "subcategory": subcategory,
            "description": text.format(gpu=gpu, screen=screen, cpu=cpu, ram=ram, disk=disk),
            "technical_specs": {"Procesador": cpu, "Memoria": f"{ram} GB", "Disco": f"SSD {disk}", "Pantalla": screen,
                                "Gráficos": gpu},
            "features": ["Wi-Fi 6", "Cámara HD"] + (["Teclado retroiluminado"] if use != "estudio" else []),
        }


def phones():
    for brand, name, model, screen, ram, storage, camera, battery, has_5g, price, stock in rows(PHONES):
        sight = "saca buenas fotos de día y de noche" if int(camera.split()[0]) >= 48 else "saca fotos nítidas"
        battery_text = ("la batería dura todo el día" if int(battery) >= 4200 else "carga rápido y entra en el bolsillo")
        yield {
            "name": f"{brand} {name}", "brand": brand, "model": model, "price": float(price), "stock": int(stock),
            "category": "celulares", "category_display_name": "Celulares", "subcategory": None,
            "description": f"Celular {brand} con pantalla de {screen} y {storage} GB de almacenamiento. Su cámara de "
                           f"{camera} {sight}, y {battery_text}.",
            "technical_specs": {"Pantalla": screen, "Memoria": f"{ram} GB", "Almacenamiento": f"{storage} GB",
                                "Cámara": camera, "Batería": f"{battery} mAh", "5G": has_5g},
            "features": ["Doble SIM", "Lector de huellas"] if brand != "Apple" else ["Resistente al agua"],
        }


def appliances():
    for brand, name, model, kind, technical, price, stock, text in rows(APPLIANCES):
        yield {
            "name": f"{name} {brand} {model}", "brand": brand, "model": model, "price": float(price),
            "stock": int(stock), "category": "electrodomesticos", "category_display_name": "Electrodomésticos",
            "subcategory": kind, "description": text,
            "technical_specs": dict(part.split(": ", 1) for part in technical.split("; ")),
            "features": ["Garantía de 12 meses"],
        }


def all_products():
    return [("NOT", p) for p in notebooks()] + [("CEL", p) for p in phones()] + [("ELE", p) for p in appliances()]
