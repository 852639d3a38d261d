#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "search/vocabulary.hpp"

namespace decant::test {

/// A shop like the sample's: ids are the names, those of subcategories "category/name".
inline search::Vocabulary shop_vocabulary() {
    using search::MeaningKind;
    struct Kind {
        std::string name;
        std::string shown;
        std::vector<std::string> subcategories = {};
    };
    const std::vector<Kind> kinds{
        {"almacenamiento", "Almacenamiento", {"Discos SSD", "Discos externos", "Discos rígidos"}},
        {"memorias_ram", "Memorias RAM"},
        {"placas_de_video", "Placas de video"},
        {"monitores", "Monitores", {"Monitores gamer"}},
        {"placas_madre", "Placas madre"},
        {"refrigeracion", "Refrigeración", {"Líquida", "Ventiladores", "Por aire"}},
        {"teclados", "Teclados"},
        {"auriculares", "Auriculares"},
        {"procesadores", "Procesadores"},
        {"gabinetes", "Gabinetes"},
        {"mouses", "Mouses"},
        {"fuentes", "Fuentes de alimentación"},
        {"parlantes", "Parlantes"},
        {"redes", "Redes", {"Placas Wi-Fi"}},
        {"laptops", "Notebooks", {"Gamer", "Empresa", "Estudio", "Ultralivianas"}},
        {"camaras_web", "Cámaras web"},
        {"ups", "UPS y estabilizadores"},
        {"electrodomesticos", "Electrodomésticos", {"Cocina", "Heladeras", "Televisores", "Limpieza"}},
        {"celulares", "Celulares"},
        {"lapices", "Lápices ópticos"},
    };
    /// With how many products of a category.
    struct Pair {
        std::string_view brand;
        std::string_view category;
        std::uint64_t products = 5;
    };
    constexpr auto pairs = std::to_array<Pair>({{"Lenovo", "laptops"},
                                                {"Lenovo", "laptops/Gamer"},
                                                {"Kingston", "almacenamiento/Discos SSD"},
                                                {"HP", "laptops"},
                                                {"Dell", "laptops"},
                                                {"ASUS", "laptops"},
                                                {"ASUS", "placas_madre", 30},
                                                {"ASUS", "placas_de_video", 30},
                                                {"ASUS", "monitores"},
                                                {"Apple", "celulares"},
                                                {"Apple", "laptops"},
                                                {"Samsung", "celulares"},
                                                {"Samsung", "monitores"},
                                                {"Samsung", "electrodomesticos/Heladeras"},
                                                {"Samsung", "electrodomesticos"},
                                                {"Samsung", "almacenamiento"},
                                                {"Samsung", "electrodomesticos/Televisores"},
                                                {"LG", "monitores"},
                                                {"LG", "electrodomesticos/Televisores"},
                                                {"Sony", "auriculares"},
                                                {"Logitech", "teclados"},
                                                {"Logitech", "mouses"},
                                                {"Logitech", "parlantes"},
                                                {"Logitech", "camaras_web"},
                                                {"Intel", "procesadores", 60},
                                                {"AMD", "procesadores", 20},
                                                {"Intel", "placas_de_video", 1},
                                                {"NVIDIA", "placas_de_video", 2},
                                                {"MSI", "placas_de_video", 40},
                                                {"be quiet!", "fuentes"},
                                                {"In Win", "gabinetes"},
                                                {"Cooler Master", "gabinetes"},
                                                {"Cooler Master", "fuentes"},
                                                {"Corsair", "gabinetes"},
                                                {"Corsair", "memorias_ram"},
                                                {"Kingston", "memorias_ram"},
                                                {"EK", "refrigeracion"},
                                                {"OS", "redes"},
                                                {"Green", "gabinetes"},
                                                {"Green", "teclados"},
                                                {"Cherry", "teclados"},
                                                {"Trust", "camaras_web"},
                                                {"Noctua", "refrigeracion"},
                                                {"TP-Link", "redes"},
                                                {"G.Skill", "memorias_ram"},
                                                {"Western Digital", "almacenamiento"},
                                                {"APC", "ups"},
                                                {"Bang & Olufsen", "auriculares"},
                                                {"Alpenföhn", "refrigeracion"},
                                                {"Bose", "auriculares"},
                                                {"Philips", "electrodomesticos"},
                                                {"V7", "mouses"},
                                                {"360", "redes"},
                                                {"Redragon", "teclados"}});
    search::Vocabulary vocabulary;
    for (const Kind& kind : kinds) {
        for (const std::string& written : {kind.name, kind.shown})
            vocabulary.add(written, {.kind = MeaningKind::category, .id = kind.name, .shown = kind.shown});
        for (const std::string& name : kind.subcategories) {
            vocabulary.add(
                name,
                {.kind = MeaningKind::subcategory, .id = kind.name + "/" + name, .shown = name, .parent = kind.name});
        }
    }
    for (const Pair& pair : pairs) {
        const std::string brand{pair.brand};
        vocabulary.add(brand, {.kind = MeaningKind::brand, .id = brand, .shown = brand});
        vocabulary.add_pair(std::string{pair.category}, brand, pair.products);
    }
    const std::vector<std::vector<std::string>> synonyms{
        {"notebook", "laptop", "portátil", "computadora portátil"},
        {"celular", "móvil", "smartphone", "teléfono móvil", "cell phone"},
        {"heladera", "nevera", "fridge"},
        {"televisor", "tele", "tv", "smart tv"},
        {"parlante", "altavoz", "speaker"},
        {"auricular", "headphone", "headset"},
        {"mouse", "ratón"},
        {"teclado", "keyboard"},
        {"monitor", "pantalla", "screen"},
        {"cámara web", "webcam"},
        {"placa de video", "tarjeta gráfica", "gpu", "graphics card"},
        {"placa madre", "motherboard", "placa base"},
        {"procesador", "cpu", "processor"},
        {"memoria ram", "ram", "memory"},
        {"disco ssd", "ssd"},
        {"disco externo", "external drive"},
        {"gabinete", "torre", "case", "pc case"},
        {"fuente de alimentación", "power supply"},
        {"refrigeración", "cooler", "cooling"},
        {"ventilador", "fan"},
        {"ups", "no break"},
        {"gamer", "gaming", "para juegos"},
        {"placa wi-fi", "wifi card"},
    };
    for (const auto& group : synonyms)
        vocabulary.add_synonyms(group);
    return vocabulary;
}

}  // namespace decant::test
