#include "search/understanding.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/fold_text.hpp"
#include "tests/support/understood_line.hpp"

namespace decant::search {
namespace {

using test::expect_told;
using test::shop_vocabulary;
using test::told;
using testing::ElementsAre;

TEST(Understanding, TakesStockSaleFeaturedAndTheWishForAPrice) {
    expect_told({
        {"monitor en stock", "monitor; category Monitores; in stock"},
        {"monitor con stock", "monitor; category Monitores; in stock"},
        {"monitores disponibles", "monitores; category Monitores; in stock"},
        {"monitor in stock", "monitor; category Monitores; in stock"},
        {"available monitors", "monitors; category Monitores; in stock"},
        {"hay monitores lg?", "monitores lg; category Monitores; brand LG; in stock"},
        {"notebook para entrega inmediata", "notebook; category Notebooks; in stock"},
        {"monitor sin stock", "monitor sin stock; category Monitores"},
        {"monitor no disponible", "monitor no disponible; category Monitores"},
        {"monitor en oferta", "monitor; category Monitores; on sale"},
        {"monitores rebajados", "monitores; category Monitores; on sale"},
        {"monitor on sale", "monitor; category Monitores; on sale"},
        {"laptops for sale", "laptops; category Notebooks"},
        {"cuánto sale una notebook lenovo", "notebook lenovo; category Notebooks; brand Lenovo"},
        {"monitor con descuento", "monitor; category Monitores; on sale"},
        {"monitor promo", "monitor; category Monitores; on sale"},
        {"hasta 50% de descuento en teclados", "teclados; category Teclados; on sale"},
        {"50% off headphones", "headphones; category Auriculares; on sale"},
        {"ofertas de notebooks", "notebooks; category Notebooks; on sale"},
        {"monitores destacados", "monitores; category Monitores; featured"},
        {"featured monitors", "monitors; category Monitores; featured"},
        {"productos recomendados", "; featured"},
        {"lo destacado en monitores", "monitores; category Monitores; featured"},
        {"auriculares baratos", "auriculares; category Auriculares; cheap"},
        {"notebook económica", "notebook; category Notebooks; cheap"},
        {"cheap laptop", "laptop; category Notebooks; cheap"},
        {"budget gaming laptop", "gaming laptop; category Notebooks; subcategory Gamer; cheap"},
        {"lo más barato en teclados", "teclados; category Teclados; cheap"},
        {"cheapest 4k monitor", "4k monitor; category Monitores; cheap"},
        {"notebook que no sea muy cara", "notebook; category Notebooks; cheap"},
        {"a not too expensive laptop", "laptop; category Notebooks; cheap"},
        {"notebook no barata", "notebook no barata; category Notebooks"},
        {"lenovo thinkpad barata y liviana", "lenovo thinkpad liviana; brand Lenovo; cheap"},
        {"el monitor más caro", "monitor; category Monitores; expensive"},
        {"placa de video gama alta", "placa de video; category Placas de video; expensive"},
        {"high end gaming keyboard", "gaming keyboard; category Teclados; expensive"},
        {"premium headphones", "premium headphones; category Auriculares; expensive"},
        {"Thermaltake Toughpower Premium 1200", "Thermaltake Toughpower Premium 1200"},
        {"wireless mouse under 50 in white", "wireless mouse in white; category Mouses; to 50"},
        {"wireless mouse under 50 in stock", "wireless mouse; category Mouses; to 50; in stock"},
    });
}

TEST(Understanding, LeavesOutWhatOnlyAsks) {
    expect_told({
        {"quiero una laptop gamer", "laptop gamer; category Notebooks; subcategory Gamer"},
        {"busco auriculares", "auriculares; category Auriculares"},
        {"hola, necesito un teclado por favor", "teclado; category Teclados"},
        {"me recomendás un monitor?", "monitor; category Monitores"},
        {"¿tenés mouse inalámbrico?", "mouse inalámbrico; category Mouses"},
        {"qué notebook me recomiendan para estudiar", "notebook para estudiar; category Notebooks"},
        {"show me keyboards", "keyboards; category Teclados"},
        {"i want a webcam", "webcam; category Cámaras web"},
        {"i'm looking for a gaming mouse", "gaming mouse; category Mouses"},
        {"can you recommend headphones please", "headphones; category Auriculares"},
        {"productos hasta 50", "; to 50"},
        {"baratos", "; cheap"},
        {"quiero una", "quiero una"},
        {"hola", "hola"},
        {"hi-fi speakers", "hi-fi speakers; category Parlantes"},
        {"need for speed", "need for speed"},
        {"all in one", "all in one"},
    });
}

TEST(Understanding, TakesAllOfItTogether) {
    expect_told({
        {"notebook gamer lenovo hasta 1500 en stock",
         "notebook gamer lenovo; category Notebooks; subcategory Gamer; brand Lenovo; to 1500; in stock"},
        {"auriculares bluetooth baratos", "auriculares bluetooth; category Auriculares; cheap"},
        {"monitor between 200 and 300", "monitor; category Monitores; from 200; to 300"},
        {"notebook más barata que 800", "notebook; category Notebooks; to 800"},
        {"monitores lg (27 pulgadas), hasta 300!!!",
         "monitores lg (27 pulgadas); category Monitores; brand LG; to 300"},
        {"monitor;lg;hasta;300", "monitor;lg; category Monitores; brand LG; to 300"},
        {"MONITOR LG HASTA $300 EN STOCK", "MONITOR LG; category Monitores; brand LG; to 300; in stock"},
        {"tienen stock de ryzen 5 5600?", "ryzen 5 5600; in stock"},
        {"are there discounts on keyboards", "keyboards; category Teclados; on sale"},
        {"pantalla para notebook 15.6", "pantalla para notebook 15.6"},
        {"una notebook que tenga más de 16 gb de ram y que salga menos de 1000",
         "notebook que tenga más de 16 gb de ram; category Notebooks; to 1000"},
        {"teclado mecanico 60% rgb", "teclado mecanico 60% rgb; category Teclados"},
    });
}

TEST(Understanding, SaysWhichWordsWereTakenForWhat) {
    const Understood understood =
        understand("Busco una Notebook LENOVO o HP de hasta $1.500, en stock", shop_vocabulary());
    std::vector<std::string> lines;
    for (const Meaning& one : understood.meanings)
        lines.push_back(fmt::format("{}: {} = {}", meaning_names[one.kind], one.text, one.value));
    EXPECT_THAT(lines, ElementsAre("max_price: de hasta $1.500 = 1500", "stock: en stock = in stock",
                                   "category: Notebook = Notebooks", "brand: LENOVO = Lenovo", "brand: HP = HP"));
}

TEST(Understanding, TakesASaleForCheapWhereTheCatalogMarksNone) {
    Vocabulary vocabulary = shop_vocabulary();
    vocabulary.marks_sale = false;
    vocabulary.marks_featured = false;
    EXPECT_EQ(told(understand("mouse en oferta", vocabulary)), "mouse; category Mouses; cheap");
    EXPECT_EQ(told(understand("mouses destacados", vocabulary)), "mouses; category Mouses");
}

TEST(Understanding, TakesNeitherOfTwoOppositeWishes) {
    EXPECT_EQ(understand("un monitor barato o uno caro", shop_vocabulary()).wish, PriceWish::none);
}

TEST(Understanding, TakesNoCategoryWhoseNameASubcategoryElsewhereHasToo) {
    Vocabulary vocabulary;
    vocabulary.add("Cables", {.kind = MeaningKind::category, .id = "1", .shown = "Cables"});
    vocabulary.add("Cables", {.kind = MeaningKind::subcategory, .id = "2", .shown = "Cables", .parent = "3"});
    EXPECT_EQ(told(understand("cables", vocabulary)), "cables");
    vocabulary.add("Redes", {.kind = MeaningKind::category, .id = "3", .shown = "Redes"});
    EXPECT_EQ(told(understand("redes", vocabulary)), "redes; category Redes");
}

TEST(Understanding, TakesAllCategoriesOfOneName) {
    Vocabulary vocabulary;
    for (const std::string id : {"1", "2"})
        vocabulary.add("Audio", {.kind = MeaningKind::category, .id = id, .shown = "Audio"});
    EXPECT_THAT(understand("audio", vocabulary).categories.ids, ElementsAre("1", "2"));
}

TEST(Understanding, KnowsNothingWithoutACatalog) {
    EXPECT_EQ(told(understand("notebook lenovo hasta 1500", {})), "notebook lenovo; to 1500");
}

TEST(Understanding, TakesAnyBytes) {
    const Vocabulary vocabulary = shop_vocabulary();
    for (const std::string& question :
         {std::string{}, std::string{"   "}, std::string{"?!"}, std::string{"\xff\xfe\x80 \xc3"}, std::string(3, '\0'),
          std::string{"$"}, std::string{"hasta"}, std::string{"hasta $"}, std::string{"< > -"},
          std::string{"…\xe2\x82"}})
        EXPECT_EQ(told(understand(question, vocabulary)), question);
    EXPECT_EQ(told(understand("monitor\xff hasta 300 \xc3", vocabulary)), "monitor\xff \xc3; to 300");
    EXPECT_EQ(told(understand("hasta 99999999999999999999999999", vocabulary)), "hasta 99999999999999999999999999");
}

TEST(Understanding, KeepsTheEndOfALongQuestion) {
    std::string question = "monitor hasta 300";
    while (question.size() < 5'000)
        question += " palabra";
    const Understood understood = understand(question, shop_vocabulary());
    EXPECT_EQ(understood.max_price, 300);
    EXPECT_EQ(understood.text, "monitor" + question.substr(std::string_view{"monitor hasta 300"}.size()));
}

struct Merge {
    Filter given;
    std::string_view question;
    std::string_view expected;  ///< category, brand, prices
};

TEST(Understanding, YieldsToTheFilterThatIsGiven) {
    const std::vector<Merge> rows{
        {{}, "notebook lenovo de 300 a 500", "laptops,Lenovo,300,500"},
        {{.category = "monitores"}, "notebook lenovo", ",Lenovo,-,-"},
        {{.subcategory = "Gamer"}, "notebook lenovo", ",Lenovo,-,-"},
        {{.brand = "HP"}, "notebook lenovo", "laptops,,-,-"},
        {{.brands = {.name = "HP", .ids = {"HP"}}}, "notebook lenovo", "laptops,HP,-,-"},
        {{.max_price = 400}, "notebook desde 300", "laptops,,300,400"},
        {{.max_price = 200}, "notebook desde 300", "laptops,,-,200"},
        {{.max_price = 200}, "notebook hasta 300", "laptops,,-,200"},
        {{.min_price = 400}, "notebook hasta 300", "laptops,,400,-"},
    };
    const auto price = [](const std::optional<double>& value) { return value ? fmt::format("{}", *value) : "-"; };
    for (const Merge& row : rows) {
        const Filter filter = merged(row.given, understand(row.question, shop_vocabulary()));
        EXPECT_EQ(fmt::format("{},{},{},{}", fmt::join(filter.categories.ids, "+"), fmt::join(filter.brands.ids, "+"),
                              price(filter.min_price), price(filter.max_price)),
                  row.expected)
            << row.question;
    }
}

TEST(Understanding, AddsToTheFilterWhatItDoesNotSay) {
    const Filter filter = merged({.on_sale = true}, understand("notebook gamer destacada en stock", shop_vocabulary()));
    EXPECT_THAT(filter.subcategories.ids, ElementsAre("laptops/Gamer"));
    EXPECT_TRUE(filter.categories.empty());
    EXPECT_TRUE(filter.in_stock && filter.featured && filter.on_sale);
}

/// Words of questions in any order, with whatever else a keyboard gives.
rc::Gen<std::string> questions() {
    const auto words = rc::gen::elementOf(std::vector<std::string>{
        "hasta",  "menos",  "más",   "de",      "que",      "no",    "entre", "y",     "o",      "a",
        "200",    "300",    "1.500", "$",       "dólares",  "16gb",  "mil",   "max",   "en",     "stock",
        "oferta", "barato", "muy",   "caro",    "notebook", "gamer", "mouse", "pad",   "lenovo", "hp",
        "para",   "con",    "sin",   "quiero",  "una",      "hola",  ",",     "-",     "<",      "50%",
        "\"",     "disco",  "ssd",   "externo", "below",    "under", "in",    "cheap", "the",    "under",
        "budget", "\xff",   "ñandú", "27",      "pulgadas", "lo",    "intel", "os"});
    return rc::gen::map(rc::gen::container<std::vector<std::string>>(words),
                        [](const std::vector<std::string>& parts) { return fmt::format("{}", fmt::join(parts, " ")); });
}

bool is_subsequence(const std::vector<std::string_view>& part, const std::vector<std::string_view>& whole) {
    std::size_t at = 0;
    for (const std::string_view word : whole)
        if (at < part.size() && part[at] == word) ++at;
    return at == part.size();
}

RC_GTEST_PROP(Understanding, LeavesWordsOfTheQuestionInTheirOrder, ()) {
    static const Vocabulary vocabulary = shop_vocabulary();
    const std::string question = *questions();
    const Understood understood = understand(question, vocabulary);
    RC_ASSERT(is_subsequence(words_of(understood.text), words_of(question)));
    RC_ASSERT(!understood.text.empty() || !understood.meanings.empty() || question.empty());
}

RC_GTEST_PROP(Understanding, AsksForPricesThatAFilterMayHave, ()) {
    static const Vocabulary vocabulary = shop_vocabulary();
    const Understood understood = understand(*questions(), vocabulary);
    // The macro looks at both sides of an "or".
    const double most = understood.max_price.value_or(std::max(understood.min_price.value_or(1), 1e9));
    const double least = understood.min_price.value_or(std::min(1.0, most));
    RC_ASSERT(std::isfinite(least));
    RC_ASSERT(std::isfinite(most));
    RC_ASSERT(least > 0);
    RC_ASSERT(least <= most);
}

RC_GTEST_PROP(Understanding, LeavesAQuestionAloneInWhichItUnderstandsNothing, ()) {
    static const Vocabulary vocabulary = shop_vocabulary();
    const auto word = rc::gen::nonEmpty(rc::gen::container<std::string>(rc::gen::elementOf(std::string{"bcdfgjqrz"})));
    const auto words = *rc::gen::container<std::vector<std::string>>(word);
    const std::string question = fmt::format("{}", fmt::join(words, "  "));
    const Understood understood = understand(question, vocabulary);
    RC_ASSERT(understood.text == question);
    RC_ASSERT(understood.meanings.empty());
}

TEST(Understanding, ForgetsAKindAndKeepsTheOthers) {
    const std::string question = "notebook lenovo barata en stock entre 500 y 1500";
    Understood understood = understand(question, shop_vocabulary());
    ASSERT_TRUE(understood.in_stock && understood.max_price && understood.min_price);
    const std::string text = understood.text;
    for (const MeaningKind kind : {MeaningKind::max_price, MeaningKind::stock, MeaningKind::brand})
        forget(understood, kind);
    EXPECT_EQ(understood.text, text);
    EXPECT_FALSE(understood.in_stock || understood.max_price || !understood.brands.empty());
    EXPECT_EQ(understood.min_price, 500);
    EXPECT_FALSE(understood.categories.empty());
    EXPECT_EQ(understood.wish, PriceWish::cheap);
    EXPECT_TRUE(std::ranges::none_of(understood.meanings, [](const Meaning& meaning) {
        return meaning.kind == MeaningKind::max_price || meaning.kind == MeaningKind::stock ||
               meaning.kind == MeaningKind::brand;
    }));
}

TEST(Understanding, ForgetsEveryKindToNothing) {
    Understood understood =
        understand("oferta de notebooks gamer destacadas baratas lenovo en stock de 5 a 9", shop_vocabulary());
    for (std::size_t kind = 0; kind < meaning_names.names.size(); ++kind)
        forget(understood, static_cast<MeaningKind>(kind));
    const Filter filter = merged({}, understood);
    EXPECT_TRUE(understood.meanings.empty());
    EXPECT_FALSE(filter.in_stock || filter.on_sale || filter.featured || filter.min_price || filter.max_price);
    EXPECT_TRUE(filter.categories.empty() && filter.subcategories.empty() && filter.brands.empty());
    EXPECT_EQ(understood.wish, PriceWish::none);
}

}  // namespace
}  // namespace decant::search
