#include "search/keyword_search.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "core/error.hpp"
#include "tests/support/schema_case.hpp"

namespace decant::search {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAre;

/// A small shop; every filler product has a word of its own, so that common words are common.
constexpr const char* shop_sql = R"sql(
INSERT INTO categories (name, display_name) VALUES
    ('laptops', 'Notebooks'), ('teclados', 'Teclados'), ('mouses', 'Mouses'), ('heladeras', 'Heladeras'),
    ('celulares', 'Celulares'), ('placas_de_video', 'Placas de video'), ('parlantes', 'Parlantes'), ('varios', 'Varios');
INSERT INTO brands (name) VALUES ('Lenovo'), ('ASUS'), ('Logitech'), ('Samsung'), ('Corsair'), ('Gigabyte');
INSERT INTO products (sku, name, model, category_id, brand_id, description, specs, technical_specs, barcode, price, stock,
                      featured, on_sale, active)
SELECT v.sku, v.name, v.model, c.id, b.id, v.description, v.specs, v.technical::jsonb, v.barcode, v.price, v.stock,
       v.featured, v.on_sale, v.active
FROM (VALUES
    ('NOT-0001', 'Yoga Slim', 'Y7-82', 'laptops', 'Lenovo', 'Notebook liviana, ideal para viajar', 'Memoria 16 GB', '{"Disco": "512 GB"}', '7791234567890', 1200, 3, true, false, true),
    ('NOT-0002', 'ROG Strix', 'G513', 'laptops', 'ASUS', 'Notebook gamer con GeForce', 'Memoria 32 GB', NULL, NULL, 1800, 0, false, true, true),
    ('NOT-0003', 'VivoBook', NULL, 'laptops', 'ASUS', 'Notebook para estudiar', 'Memoria 8 GB', NULL, NULL, 500, 9, false, false, true),
    ('NOT-0004', 'ThinkPad retirada', NULL, 'laptops', 'Lenovo', 'Notebook', '', NULL, NULL, 400, 1, false, false, false),
    ('TEC-0001', 'K70 mecánico', 'K70', 'teclados', 'Corsair', 'Teclado mecánico con iluminación', '', NULL, NULL, 150, 4, false, false, true),
    ('TEC-0002', 'K120', 'K120', 'teclados', 'Logitech', 'Teclado silencioso para la oficina', '', NULL, NULL, 20, 4, false, false, true),
    ('MOU-0001', 'MX Master', 'MX-3S', 'mouses', 'Logitech', 'Mouse inalámbrico', 'Wireless', NULL, NULL, 99, 4, false, false, true),
    ('HEL-0001', 'No Frost RT38', 'RT38K', 'heladeras', 'Samsung', 'Heladera con freezer', '', NULL, NULL, 900, 2, false, false, true),
    ('CEL-0001', 'Galaxy S23', 'SM-S911', 'celulares', 'Samsung', 'Celular con buena batería', '256 GB', NULL, NULL, 800, 2, false, false, true),
    ('GPU-0001', 'GeForce RTX 3060', NULL, 'placas_de_video', 'Gigabyte', 'Placa de video con dos ventiladores', '12 GB', NULL, NULL, 300, 2, false, false, true),
    ('PAR-0001', 'Z313', 'Z-313', 'parlantes', 'Logitech', 'Parlantes de diseño pequeño', '', NULL, NULL, 60, 2, false, false, true)
  ) AS v (sku, name, model, category, brand, description, specs, technical, barcode, price, stock, featured, on_sale, active)
JOIN categories c ON c.name = v.category JOIN brands b ON b.name = v.brand;
INSERT INTO products (sku, name, category_id, description, specs, price, stock)
SELECT 'VAR-' || i, 'Objeto cosa' || i, c.id, 'Cualquier artículo', '', i, 1
FROM categories c, generate_series(1, 300) i WHERE c.name = 'varios';
ANALYZE;
)sql";

/// One catalog for all tests, which only read.
class KeywordSearch : public testing::Test {
protected:
    static void SetUpTestSuite() {
        with_ = new test::SchemaCase;
        with_->exec(shop_sql);
    }
    static void TearDownTestSuite() { delete with_; }

    KeywordAnswer answer(const std::string& text, const Filter& filter = {}) {
        return find_by_words(db_, {.text = text, .filter = filter, .counts = true});
    }
    std::vector<std::string> found(const std::string& text, const Filter& filter = {}) {
        std::vector<std::string> skus;
        for (const Hit& hit : answer(text, filter).hits)
            skus.push_back(hit.sku);
        return skus;
    }
    std::string first(const std::string& text) {
        const std::vector<std::string> skus = found(text);
        return skus.empty() ? "" : skus.front();
    }

    static test::SchemaCase* with_;
    pg::Connection db_ = with_->open();
};
test::SchemaCase* KeywordSearch::with_ = nullptr;

struct Question {
    const char* text;
    const char* sku;  ///< of the first hit; empty: nothing is found
};

class KeywordQuestions : public KeywordSearch, public testing::WithParamInterface<Question> {};

TEST_P(KeywordQuestions, FindTheirProductFirst) {
    EXPECT_EQ(first(GetParam().text), GetParam().sku) << GetParam().text;
}

INSTANTIATE_TEST_SUITE_P(
    Spanish, KeywordQuestions,
    testing::Values(Question{"heladera", "HEL-0001"}, Question{"HELADERAS", "HEL-0001"},
                    Question{"la heladera de samsung", "HEL-0001"}, Question{"teclado mecanico", "TEC-0001"},
                    Question{"teclados mecánicos", "TEC-0001"}, Question{"teclado iluminacion", "TEC-0001"},
                    Question{"mouse inalambrico", "MOU-0001"}, Question{"celular con buena bateria", "CEL-0001"},
                    Question{"parlantes de diseno pequeno", "PAR-0001"}, Question{"notebook gamer", "NOT-0002"},
                    Question{"notebook liviana para viajar", "NOT-0001"}));
INSTANTIATE_TEST_SUITE_P(English, KeywordQuestions,
                         testing::Values(Question{"wireless mouse", "MOU-0001"},
                                         Question{"the mechanical keyboards", "TEC-0001"},
                                         Question{"gaming laptops", "NOT-0002"}, Question{"fridge", "HEL-0001"},
                                         Question{"graphics cards", "GPU-0001"}, Question{"cell phone", "CEL-0001"}));
INSTANTIATE_TEST_SUITE_P(Synonyms, KeywordQuestions,
                         testing::Values(Question{"frigorífico", "HEL-0001"}, Question{"neveras", "HEL-0001"},
                                         Question{"raton", "MOU-0001"}, Question{"altavoces", "PAR-0001"},
                                         Question{"bocina logitech", "PAR-0001"}, Question{"móviles", "CEL-0001"},
                                         Question{"portatil gamer", "NOT-0002"},
                                         Question{"tarjeta grafica", "GPU-0001"},
                                         Question{"tarjetas gráficas", "GPU-0001"}, Question{"gpu rtx", "GPU-0001"}));
INSTANTIATE_TEST_SUITE_P(TypingErrors, KeywordQuestions,
                         testing::Values(Question{"tecaldo mecanico", "TEC-0001"}, Question{"corssair", "TEC-0001"},
                                         Question{"heladear", "HEL-0001"}, Question{"samsumg celular", "CEL-0001"},
                                         Question{"keybord mechanical", "TEC-0001"},
                                         Question{"notbook liviana", "NOT-0001"}, Question{"galxy", "CEL-0001"}));
INSTANTIATE_TEST_SUITE_P(Beginnings, KeywordQuestions,
                         testing::Values(Question{"helad", "HEL-0001"}, Question{"notebook gam", "NOT-0002"},
                                         Question{"logitech parl", "PAR-0001"}));
INSTANTIATE_TEST_SUITE_P(Codes, KeywordQuestions,
                         testing::Values(Question{"NOT-0002", "NOT-0002"}, Question{"not-0002", "NOT-0002"},
                                         Question{"not 0002", "NOT-0002"}, Question{"NOT0002", "NOT-0002"},
                                         Question{"7791234567890", "NOT-0001"}, Question{"sm-s911", "CEL-0001"},
                                         Question{"SMS911", "CEL-0001"}, Question{"teclado not-0002", "NOT-0002"},
                                         Question{"heladera RT38K", "HEL-0001"}));
INSTANTIATE_TEST_SUITE_P(Numbers, KeywordQuestions,
                         testing::Values(Question{"notebook 32gb", "NOT-0002"}, Question{"notebook 32 gb", "NOT-0002"},
                                         Question{"notebook disco 512gb", "NOT-0001"}));
INSTANTIATE_TEST_SUITE_P(NothingToFind, KeywordQuestions,
                         testing::Values(Question{"zapatillas running", ""}, Question{"pizza a domicilio", ""},
                                         Question{"wedding dress", ""}, Question{"NOT-9999999", ""}));

TEST_F(KeywordSearch, AnswersOnlyWithWhatHasAboutHalfOfTheQuestion) {
    EXPECT_THAT(found("notebook gamer geforce"), testing::Contains("NOT-0002"));
    EXPECT_THAT(found("notebook gamer geforce"), Not(testing::Contains("TEC-0002")));
    EXPECT_THAT(found("notebook"), UnorderedElementsAre("NOT-0001", "NOT-0002", "NOT-0003"));
}

TEST_F(KeywordSearch, PutsProductsWithAllWordsBeforeThoseWithSomeOnEveryPage) {
    const KeywordAnswer all = answer("notebook asus gamer");
    ASSERT_FALSE(all.hits.empty());
    EXPECT_EQ(all.hits.front().sku, "NOT-0002");
    for (std::uint64_t offset = 0; offset < all.hits.size(); ++offset) {
        const KeywordAnswer page = find_by_words(db_, {.text = "notebook asus gamer", .limit = 1, .offset = offset});
        ASSERT_EQ(page.hits.size(), 1U);
        EXPECT_EQ(page.hits.front().sku, all.hits[offset].sku);
    }
    EXPECT_EQ(all.matched, all.hits.size());
    EXPECT_THAT(find_by_words(db_, {.text = "notebook asus gamer", .offset = 50}).hits, IsEmpty());
}

TEST_F(KeywordSearch, ScoresNamesOverCategoriesOverTextsAndNeverClaimsASimilarity) {
    const KeywordAnswer geforce = answer("geforce");
    ASSERT_EQ(geforce.hits.size(), 2U);
    EXPECT_EQ(geforce.hits[0].sku, "GPU-0001");
    EXPECT_EQ(geforce.hits[1].sku, "NOT-0002");
    EXPECT_GT(geforce.hits[0].score, geforce.hits[1].score);
    EXPECT_FALSE(geforce.hits[0].similarity);
}

TEST_F(KeywordSearch, TellsWhatItTookForWhat) {
    const KeywordAnswer corrected = answer("tecaldo corssair");
    ASSERT_EQ(corrected.corrections.size(), 2U);
    EXPECT_EQ(corrected.corrections[0].written, "tecaldo");
    EXPECT_EQ(corrected.corrections[0].taken_for, "teclado");
    EXPECT_EQ(corrected.corrections[1].taken_for, "corsair");
    EXPECT_THAT(answer("teclado corsair").corrections, IsEmpty());
    EXPECT_THAT(answer("teclado cors").corrections, IsEmpty()) << "a beginning is no error";
    EXPECT_THAT(found("teclado cors "), Not(ElementsAre())) << "a blank ends the word";
}

TEST_F(KeywordSearch, TellsThatACodeWasMeant) {
    EXPECT_TRUE(answer("not-0002").has_code);
    EXPECT_TRUE(answer("k70").hits.size() == 1 && answer("k70").hits.front().sku == "TEC-0001");
    EXPECT_FALSE(answer("notebook").has_code);
    EXPECT_EQ(found("not-0002"), std::vector<std::string>{"NOT-0002"}) << "who gives a sku alone wants nothing else";
}

TEST_F(KeywordSearch, HasNoAnswerToNoWords) {
    for (const char* text : {"", "   ", "¿?", "de la y", "the and of", "-- ''"}) {
        const KeywordAnswer none = answer(text);
        EXPECT_THAT(none.hits, IsEmpty()) << text;
        EXPECT_FALSE(none.has_words) << text;
    }
    EXPECT_TRUE(answer("zapatillas").has_words);
}

TEST_F(KeywordSearch, KeepsToTheFilter) {
    struct Case {
        Filter filter;
        std::vector<std::string> skus;
    };
    const std::vector<Case> cases{{{}, {"NOT-0001", "NOT-0002", "NOT-0003"}},
                                  {{.active = false}, {"NOT-0001", "NOT-0002", "NOT-0003", "NOT-0004"}},
                                  {{.brand = "asus"}, {"NOT-0002", "NOT-0003"}},
                                  {{.category = "Notebooks"}, {"NOT-0001", "NOT-0002", "NOT-0003"}},
                                  {{.category = "teclados"}, {}},
                                  {{.min_price = 600}, {"NOT-0001", "NOT-0002"}},
                                  {{.max_price = 600}, {"NOT-0003"}},
                                  {{.min_price = 600, .max_price = 1500}, {"NOT-0001"}},
                                  {{.in_stock = true}, {"NOT-0001", "NOT-0003"}},
                                  {{.featured = true}, {"NOT-0001"}},
                                  {{.on_sale = true}, {"NOT-0002"}},
                                  {{.brand = "ASUS", .max_price = 600, .in_stock = true}, {"NOT-0003"}}};
    for (std::size_t i = 0; i < cases.size(); ++i)
        EXPECT_THAT(found("notebook", cases[i].filter), testing::UnorderedElementsAreArray(cases[i].skus)) << i;
}

TEST_F(KeywordSearch, FillsThePageThoughTheBestDoNotPass) {
    EXPECT_THAT(found("objeto", {.min_price = 299}), UnorderedElementsAre("VAR-299", "VAR-300"));
    const KeywordAnswer many =
        find_by_words(db_, {.text = "objeto", .filter = {.min_price = 200}, .limit = 7, .counts = true});
    EXPECT_EQ(many.hits.size(), 7U);
    EXPECT_EQ(many.matched, 101U);
}

TEST_F(KeywordSearch, TakesAnyTextForWords) {
    const std::vector<std::string> texts{"'; DROP TABLE products; --",
                                         "teclado' | 'x",
                                         "\\'\\\\ & | ! <-> :* ( ) ::tsquery $1 {0} %s",
                                         "mecan:*A & !(teclado)",
                                         "\"teclado\"",
                                         std::string(5'000, 'x'),
                                         std::string(5'000, '\''),
                                         std::string(2'000, 'e') + "\xc3\xa9",
                                         "teclado \xff\xfe\xc3",
                                         "\xf0\x9f\x98\x80 teclado \xe4\xb8\xad",
                                         "#NOT0001 ##"};
    for (const std::string& text : texts)
        EXPECT_NO_THROW(answer(text)) << text.substr(0, 40);
    std::string many;
    for (int i = 0; i < 1'000; ++i)
        many += fmt::format("palabra{} ", i);
    EXPECT_NO_THROW(answer(many));
    EXPECT_EQ(first("teclado' | 'mecanico"), "TEC-0001");
    EXPECT_EQ(first("\"teclado\" (mecanico)!"), "TEC-0001");
    EXPECT_EQ(with_->value("SELECT count(*) FROM products"), "311");
}

TEST_F(KeywordSearch, RefusesACharacterThatPostgresqlCannotHold) {
    try {
        answer(std::string{"tec\0lado", 8});
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::request_invalid);
        EXPECT_THAT(error.happened(), HasSubstr("U+0000"));
    }
}

TEST_F(KeywordSearch, NamesAFilterThatTheCatalogDoesNotHave) {
    EXPECT_THROW(answer("notebook", {.category = "notebuks"}), Error);
}

TEST(KeywordIndex, IsUsedWhereThereAreEnoughProducts) {
    const test::SchemaCase with;
    with.exec(
        "DROP INDEX idx_products_embedding_hnsw; INSERT INTO categories (name, display_name) VALUES ('c', 'Luz');"
        "INSERT INTO products (name, specs, price, sku, category_id) SELECT CASE WHEN i <= 40 THEN 'Lámpara roja' ELSE "
        "'Cosa' END || ' ' || md5(i::text), 'specs', i, 'sku-' || i, c.id FROM categories c, generate_series(1, 20000) "
        "i");
    with.exec("VACUUM ANALYZE decant.product_words");
    pg::Connection db = with.open();
    for (const char* text : {"lampara roja", "sku-77", "lampara"}) {
        const KeywordAnswer answer = find_by_words(db, {.text = text, .explains = true});
        EXPECT_THAT(answer.plan, HasSubstr("Bitmap Index Scan on idx_product_words")) << text;
        EXPECT_THAT(answer.plan, Not(HasSubstr("Seq Scan on product"))) << text;
        EXPECT_FALSE(answer.hits.empty()) << text;
    }
}

TEST(KeywordIndex, IsMissedWithACommandThatMakesIt) {
    const test::SchemaCase with{test::ThrowawayCluster::shared().create_database()};
    pg::Connection db = with.open();
    try {
        find_by_words(db, {.text = "notebook"});
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::not_found);
        EXPECT_THAT(error.remedy(), HasSubstr("decant schema up"));
    }
}

}  // namespace
}  // namespace decant::search
