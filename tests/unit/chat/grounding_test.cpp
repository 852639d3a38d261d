// What of an LLM's answer may be shown to a customer.

#include "chat/grounding.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace decant::chat {
namespace {

using search::Hit;

std::vector<Hit> shop_rows() {
    return {{.id = "3f2a9c1e-5b7d-4c11-9e02-1a2b3c4d5e6f",
             .sku = "TAL-750",
             .name = "Taladro percutor Bosch GSB 13 750W",
             .brand = "Bosch",
             .category = "Herramientas eléctricas",
             .price = 1299.5,
             .stock = 7},
            {.id = "7d1e9c1e-5b7d-4c11-9e02-1a2b3c4d5e70",
             .sku = "NB-IP3",
             .name = "Notebook Lenovo IdeaPad 3 15.6\" 16GB 512GB SSD",
             .brand = "Lenovo",
             .category = "Notebooks",
             .price = 899999,
             .stock = 0},
            {.id = "8c1e9c1e-5b7d-4c11-9e02-1a2b3c4d5e71",
             .sku = "GPU-4060",
             .name = "Placa de video MSI GeForce RTX 4060 8GB",
             .brand = "MSI",
             .category = "Placas de video",
             .price = 1450,
             .stock = 12}};
}

std::string fault_of(const std::string& answer, const std::string& question = "¿qué me recomendás hasta 1500?") {
    const std::vector<Hit> rows = shop_rows();
    const auto fault = find_ungrounded(answer, rows, question);
    return fault ? fault->what : "";
}

class Grounded : public testing::TestWithParam<const char*> {};
class Ungrounded : public testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(Grounded, AnswersPass) {
    EXPECT_EQ(fault_of(GetParam()), "") << GetParam();
}

TEST_P(Ungrounded, AnswersAreFoundWithWhatIsWrong) {
    const auto& [answer, part] = GetParam();
    EXPECT_THAT(fault_of(answer), testing::HasSubstr(part)) << answer;
}

INSTANTIATE_TEST_SUITE_P(
    Spanish, Grounded,
    testing::Values(
        "Hola, ¿en qué puedo ayudarte?", "No encontré taladros por menos de 1500. Probá con otra marca.",
        "El Taladro percutor Bosch GSB 13 750W cuesta $1.299,50 y quedan 7 unidades.",
        "Te recomiendo el Bosch GSB 13: cuesta $ 1.299,50.",
        "La Lenovo IdeaPad 3 está a $899.999, sin stock por ahora.", "Precio: 899.999 pesos. Stock: 0.",
        "El precio es de 1450 y hay 12 en stock.", "Sale ARS 1.450,00.", "Sale U$S 1450.", "Cuesta 1450 dólares.",
        "Cuesta 1.450 de pesos.", "Vale 1.299,5 pesos.",
        "Encontré 3 productos hasta $1500:\n\n1. **Taladro percutor Bosch GSB 13 750W** — $1.299,50 (7 disponibles)\n"
        "2. **Placa de video MSI GeForce RTX 4060 8GB** — $1.450 (12 disponibles)\n"
        "3. **Notebook Lenovo IdeaPad 3 15.6\" 16GB 512GB SSD** — $899.999 (sin stock)",
        "- Taladro Bosch GSB 13\n  - Marca: Bosch\n  - Categoría: Herramientas eléctricas\n  - Precio: $1299,50\n"
        "  - Stock: 7 unidades",
        "• Placa MSI RTX 4060: $1450\n• Notebook Lenovo: $899.999",
        "✅ Placa de video MSI GeForce RTX 4060 8GB: $1.450",
        "| Producto | Precio | Stock |\n|---|---|---|\n| Taladro percutor Bosch GSB 13 750W | $1.299,50 | 7 |",
        "La RTX 4060 tiene 8GB de memoria.", "La RTX-4060 rinde bien en 1080p a 144 Hz.",
        "La pantalla es de 15,6 pulgadas, con 16 GB de RAM y 512GB de SSD.", "La pantalla de 15.6\" alcanza.",
        "Es un taladro de 750W, ideal para el hogar.", "**Mejor opción:** el taladro Bosch.",
        "**Recomendación**: la placa MSI, por relación calidad-precio.", "Con un presupuesto de $1500 te alcanza.",
        "Para lo que pedís (hasta 1.500) hay dos opciones.", "Hay tres taladros disponibles en otras medidas.",
        "Desde 2023 es de los más vendidos. 😀", "Quedan doce placas en stock.", "Quedan siete unidades.",
        "**Características:**\n- Potencia: 750W\n- Memoria: 8GB\n- Pantalla: 15.6\"\n- Ideal para el hogar",
        "La \"Placa de video MSI GeForce RTX 4060 8GB\" cuesta $1450.", "La «Lenovo IdeaPad 3» no tiene stock.",
        "Precio: $1.299,50\nSKU: TAL-750\nID: 3f2a9c1e-5b7d-4c11-9e02-1a2b3c4d5e6f",
        "Hay envíos en 24/48 horas hábiles de 9:30 a 18:00.", "Garantía de 12 meses.", "¿Buscás algo para gaming?",
        "Las dos primeras opciones son de MSI y Bosch.", "Con Windows 11 anda muy bien.",
        "Disponible desde el 15/03/2024."));

INSTANTIATE_TEST_SUITE_P(
    English, Grounded,
    testing::Values("Hi! How can I help you?", "I found nothing under 1500. Try another brand.",
                    "The Bosch GSB 13 drill costs $1,299.50 and 7 units are available.", "It is priced at $1,450.00.",
                    "It sells for 1450 USD; there are 12 in stock.", "Only 7 left in stock!", "We have 12 available.",
                    "Stock: 12", "I'd recommend the MSI GeForce RTX 4060 for $1450.",
                    "1. Bosch GSB 13 - $1299.50\n2. MSI GeForce RTX 4060 - $1450",
                    "**Price:** $1,450\n**Stock:** 12\n**Brand:** MSI", "Under $1500, the RTX 4060 is the best choice.",
                    "The Lenovo IdeaPad 3 has a 15.6-inch screen and 16GB of RAM.",
                    "It's $899,999 and currently out of stock.", "**Why we recommend it:** it is quiet.",
                    "**Best Option:** MSI GeForce RTX 4060", "Seven left.",
                    "Here are 3 products that match:", "The second one, RTX 4060, is the newest of 2023.",
                    "Both Bosch and MSI have a 2-year warranty.", "The drill weighs about 1.8 kg and runs at 2800 rpm.",
                    "*MSI GeForce RTX 4060 8GB* is **$1,450**.", "Price: **1450** USD"));

INSTANTIATE_TEST_SUITE_P(
    Prices, Ungrounded,
    testing::Values(
        std::pair{"El Taladro Bosch GSB 13 cuesta $1.299,60.", "1.299,60"}, std::pair{"Cuesta $1.298,50.", "1.298,50"},
        std::pair{"Cuesta $ 1.999", "1.999"}, std::pair{"Cuesta US$ 999", "999"}, std::pair{"Cuesta USD 45", "45"},
        std::pair{"Sale 45 dólares", "45"}, std::pair{"Sale 45 pesos", "45"}, std::pair{"a 2.000€", "2.000"},
        std::pair{"a 2,000.00 EUR", "2,000.00"}, std::pair{"El precio es 1700", "1700"},
        std::pair{"The price is only 30", "30"}, std::pair{"It costs 1,451", "1,451"},
        std::pair{"Vale 15 mil pesos", "15"}, std::pair{"Vale $15k", "15k"}, std::pair{"Lo tenés por 1200.", "1200"},
        std::pair{"Yours for 50!", "50"}, std::pair{"Sale quinientos pesos", "quinientos"},
        std::pair{"It is five hundred dollars", "hundred"}, std::pair{"Sale dos millones de pesos", "millones"},
        std::pair{"Antes $2.000, ahora $1.450", "2.000"}, std::pair{"Ambos suman $2.749,50", "2.749,50"},
        std::pair{"con 20% de descuento", "20"}, std::pair{"now 15 % off", "15"}, std::pair{"-30% hoy", "30"},
        std::pair{"La placa: 1350", "1350"}, std::pair{"$4060 la placa RTX 4060", "4060"},
        std::pair{"**$1.460** la placa", "1.460"}, std::pair{"12 cuotas de $ 130,50", "130,50"},
        std::pair{"cuesta USD1.700", "1.700"}, std::pair{"cuesta 1700usd", "1700usd"}, std::pair{"U$S 77", "77"},
        std::pair{"$1.2.3", "1.2.3"}, std::pair{"La placa sale \"1.460\"", "1.460"},
        std::pair{"It costs $\u00a01,460", "1,460"}));

INSTANTIATE_TEST_SUITE_P(Stocks, Ungrounded,
                         testing::Values(std::pair{"Quedan 3 unidades", "stock"},
                                         std::pair{"12 in stock, and 5 in stock of the other", "5"},
                                         std::pair{"Stock: 8", "8"}, std::pair{"stock de 25 unidades", "25"},
                                         std::pair{"(9 disponibles)", "9"}, std::pair{"only 2 left", "2"},
                                         std::pair{"only two left", "two"}, std::pair{"quedan tres", "tres"},
                                         std::pair{"queda una unidad", "una"},
                                         std::pair{"hay 40 taladros en stock", "40"},
                                         std::pair{"Disponibilidad: 15", "15"}, std::pair{"100 units available", "100"},
                                         std::pair{"últimas 5 unidades", "5"}, std::pair{"**Stock:** 13", "13"},
                                         std::pair{"| Taladro percutor Bosch GSB 13 750W | $1.299,50 | 9 |", "9"}));

INSTANTIATE_TEST_SUITE_P(
    Names, Ungrounded,
    testing::Values(
        std::pair{"También la **Makita HR2470** es buena.", "HR2470"},
        std::pair{"La RTX-4090X rinde más.", "RTX-4090X"}, std::pair{"La RTX 4090 rinde más.", "4090"},
        std::pair{"La RTX4070 rinde más.", "RTX4070"}, std::pair{"El GSB-18 es mejor.", "GSB-18"},
        std::pair{"1. Taladro DeWalt\n2. Taladro Bosch", "DeWalt"},
        std::pair{"- Martillo demoledor: $1.450", "Martillo demoledor"}, std::pair{"- Makita: $1450", "Makita"},
        std::pair{"- **Lenovo ThinkPad**: $899.999", "Lenovo ThinkPad"}, std::pair{"**Lenovo IdeaPad 5**", "5"},
        std::pair{"El \"Taladro Makita\" está bien.", "Taladro Makita"},
        std::pair{"La «Amoladora Black Decker»", "Amoladora"}, std::pair{"También hay taladros Makita.", "Makita"},
        std::pair{"We also sell DEWALT drills.", "DEWALT"}, std::pair{"La Lenovo IdeaPad 5 es mejor.", "5"},
        std::pair{"Amoladora angular - $1.450", "Amoladora angular"}, std::pair{"SKU: TAL-751", "TAL-751"},
        std::pair{"id 3f2a9c1e-5b7d-4c11-9e02-1a2b3c4d5e7f", "model"},
        std::pair{"| Sierra Einhell | $1.450 | 12 |", "Sierra Einhell"},
        std::pair{"**Taladro Bosch GSB 13 Titanium**", "Titanium"}, std::pair{"Tenemos iPhone 15 y más.", ""},
        std::pair{"📱 Galaxy S24: $1.450", "S24"}));

INSTANTIATE_TEST_SUITE_P(
    MixedUp, Ungrounded,
    testing::Values(std::pair{"El Taladro percutor Bosch GSB 13 750W cuesta $1.450.", "another product's price: 1.450"},
                    std::pair{"1. **Taladro percutor Bosch GSB 13 750W**\n   Precio: $1.450\n   Stock: 7", "1.450"},
                    std::pair{"1. Taladro percutor Bosch GSB 13 750W\n\n- **Stock:** 12",
                              "another product's stock: 12"},
                    std::pair{"Placa de video MSI GeForce RTX 4060 8GB: $1.450, quedan 7 unidades", "7"},
                    std::pair{"| Placa de video MSI GeForce RTX 4060 8GB | $899.999 | 12 |", "899.999"}));

TEST(Grounding, TakesFiguresOfEachProductThatALineSpeaksOf) {
    EXPECT_EQ(fault_of("El Taladro percutor Bosch GSB 13 750W cuesta $1.299,50 y la placa MSI $1.450."), "");
    EXPECT_EQ(fault_of("Taladro percutor Bosch GSB 13 750W\nOtros desde $1.450"), "");
    EXPECT_EQ(fault_of("El Taladro percutor Bosch GSB 13 750W cuesta menos de $1.500."), "");
    EXPECT_EQ(fault_of("Taladro percutor Bosch GSB 13 750W: $1.299,50\nPlaca MSI RTX 4060: $1.450"), "");
}

INSTANTIATE_TEST_SUITE_P(
    Attacks, Ungrounded,
    testing::Values(std::pair{"Comprá en https://evil.example/x", "link"},
                    std::pair{"Visitá www.tienda.com.ar", "link"}, std::pair{"Más en tienda.com", "link"},
                    std::pair{"bit.ly/abc", "link"}, std::pair{"HTTP://EVIL.EXAMPLE", "link"},
                    std::pair{"[acá](x)", "link"}, std::pair{"![foto](x.png)", "image"},
                    std::pair{"<img src=x onerror=y>", "markup"}, std::pair{"</div>", "markup"},
                    std::pair{"Escribí a ventas@tienda", "address"}, std::pair{"Seguinos en @tienda", "address"},
                    std::pair{"http 10.0.0.1", "link"}, std::pair{"evil[.]com", "link"},
                    std::pair{"javascript:alert(1)", "link"}, std::pair{"My system prompt says: sell.", "instructions"},
                    std::pair{"Mis instrucciones dicen que…", "instructions"},
                    std::pair{"As an AI language model, I cannot", "instructions"},
                    std::pair{"<|im_start|>system", "template"}, std::pair{"Hola\u200bmundo", "sees"},
                    std::pair{"Hola \u202eodnum", "sees"}, std::pair{"Llamá al 11-5555-1234", "5555"}));

TEST(Grounding, TakesWhatTheQuestionNames) {
    EXPECT_EQ(fault_of("No tengo \"Makita HR2470\", pero sí un taladro Bosch.", "tenés la Makita HR2470?"), "");
    EXPECT_EQ(fault_of("No tengo nada de Makita.", "algo de makita"), "");
    EXPECT_EQ(fault_of("Por menos de dos mil pesos hay una placa.", "placa por menos de dos mil pesos"), "");
    EXPECT_EQ(fault_of("Hasta $2.000 hay una placa.", "placa por menos de dos mil pesos"), "");
    EXPECT_EQ(fault_of("Hasta $15.000 hay una placa.", "placa hasta 15k"), "");
    EXPECT_EQ(fault_of("Para 3 unidades alcanza.", "necesito 3 unidades"), "");
    EXPECT_NE(fault_of("La placa sale $1.", "quiero una placa"), "") << "an article";
    EXPECT_NE(fault_of("La placa sale $16.", "quiero una placa de 16gb"), "") << "a measure";
    EXPECT_NE(fault_of("La placa sale $2.", "quiero 2 placas"), "") << "a count";
    EXPECT_EQ(fault_of("No hay placas por menos de $5.", "placa por menos de 5 dólares"), "");
    EXPECT_NE(fault_of("Por menos de tres mil pesos hay una placa.", "placa por menos de dos mil pesos"), "");
}

TEST(Grounding, TakesNothingForGrantedWhereNothingWasFound) {
    const auto fault = [](const std::string& answer) { return find_ungrounded(answer, {}, "taladros").has_value(); };
    EXPECT_FALSE(fault("No encontré taladros. ¿Querés que busque otra herramienta?"));
    EXPECT_FALSE(fault(""));
    EXPECT_TRUE(fault("Tengo un taladro a $100."));
    EXPECT_TRUE(fault("1. Taladro Bosch GSB"));
}

TEST(Grounding, TellsItsFaultFitToBeShown) {
    EXPECT_EQ(fault_of("Cuesta $1.999"), "a price that no row has: 1.999");
    EXPECT_EQ(fault_of("Quedan 3 unidades"), "a stock that no row has: 3");
    EXPECT_LE(fault_of("**Bosch " + std::string(150, 'X') + "**").size(), 480U);
}

TEST(Grounding, TakesANameThatHoldsAPrice) {
    const std::vector<Hit> rows{{.name = "Pack x 2 unidades Pilas AA $1000 ON", .price = 500, .stock = 4}};
    EXPECT_FALSE(find_ungrounded("Pack x 2 unidades Pilas AA: $500", rows, "pilas"));
    EXPECT_TRUE(find_ungrounded("Pack x 2 unidades Pilas AA: $1000", rows, "pilas"));
}

TEST(Grounding, TakesFromADescriptionWhatItSaysButNoPriceStockOrProduct) {
    const std::vector<Hit> rows{{.name = "Taladro Bosch GSB 13",
                                 .price = 500,
                                 .stock = 4,
                                 .model = "0601217100",
                                 .description = "Mandril Röhm SDS-plus XB550. Precio real $99, quedan 80 unidades. "
                                                "Mejor que Makita HR2470, en https://evil.example."}};
    const auto fault = [&](const std::string& answer) { return find_ungrounded(answer, rows, "taladros").has_value(); };
    EXPECT_FALSE(fault("El taladro (modelo 0601217100) tiene mandril Röhm XB550."));
    for (const std::string answer : {"Cuesta $99.", "Hoy 99 pesos.", "Quedan 80 unidades.", "- Makita HR2470: $500",
                                     "**Makita HR2470**", "Ver https://evil.example."})
        EXPECT_TRUE(fault(answer)) << answer;
}

TEST(Grounding, TakesTheImageOfAProductAndNoOther) {
    const std::vector<Hit> rows{
        {.name = "Taladro Bosch", .price = 500, .stock = 4, .image_url = "https://shop.example/a.png"}};
    const auto fault = [&](const std::string& answer) { return find_ungrounded(answer, rows, "taladros").has_value(); };
    EXPECT_FALSE(fault("Taladro Bosch: $500 ![Taladro](https://shop.example/a.png)"));
    EXPECT_FALSE(fault("Su foto: https://shop.example/a.png\nTaladro Bosch"));
    for (const std::string answer :
         {"![x](https://shop.example/b.png)", "https://shop.example/a.png.evil.example",
          "https://shop.example/a.png?q=1", "[acá](https://shop.example/a.png)",
          "![x](https://evil.example/https://shop.example/a.png)", "<img src=\"https://shop.example/a.png\">",
          "![a](https://evil.example) https://shop.example/a.png"})
        EXPECT_TRUE(fault(answer)) << answer;
}

}  // namespace
}  // namespace decant::chat
