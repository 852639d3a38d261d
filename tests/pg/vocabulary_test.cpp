#include "search/vocabulary.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "search/understanding.hpp"
#include "tests/support/schema_case.hpp"

namespace decant::search {
namespace {

/// Two categories and an inactive one; of four monitors three are of LG, one of them inactive.
class VocabularyTest : public testing::Test {
protected:
    static void SetUpTestSuite() {
        with_ = new test::SchemaCase;
        with_->exec(R"sql(
            INSERT INTO categories (name, display_name, active) VALUES
                ('monitores', 'Monitores', true), ('placas_de_video', 'Placas de video', true), ('radios', 'Radios', false);
            INSERT INTO subcategories (name, display_name, category_id, active)
                SELECT s, s, id, s <> 'Viejos' FROM categories, unnest(ARRAY['Curvos', 'Viejos']) s WHERE name = 'monitores';
            INSERT INTO brands (name, display_name, active) VALUES
                ('lg', 'LG', true), ('samsung', NULL, true), ('zenith', 'Zenith', false);
            INSERT INTO products (name, specs, price, category_id, subcategory_id, brand_id, active)
                SELECT n, '', 1, c.id, s.id, b.id, n <> 'off'
                FROM categories c, subcategories s, brands b, unnest(ARRAY['one', 'two', 'off']) n
                WHERE c.name = 'monitores' AND s.name = 'Curvos' AND b.name = 'lg';
            INSERT INTO products (name, specs, price, category_id, brand_id)
                SELECT 'three', '', 1, c.id, b.id FROM categories c, brands b
                WHERE c.name = 'monitores' AND b.name = 'samsung')sql");
    }
    static void TearDownTestSuite() { delete with_; }

    std::string id_of(const std::string& table, const std::string& name) const {
        return with_->value(fmt::format("SELECT id FROM {} WHERE name = '{}'", table, name));
    }

    static inline test::SchemaCase* with_ = nullptr;
    pg::Connection db_ = with_->open();
};

TEST_F(VocabularyTest, HasTheActiveNamesOfTheCatalog) {
    const Vocabulary vocabulary = load_vocabulary(db_);
    const Understood understood = understand("placas de video lg", vocabulary);
    EXPECT_EQ(understood.categories.name, "Placas de video");
    EXPECT_THAT(understood.categories.ids, testing::ElementsAre(id_of("categories", "placas_de_video")));
    EXPECT_EQ(understand("curvo", vocabulary).subcategories.name, "Curvos");
    EXPECT_EQ(understand("samsung", vocabulary).brands.name, "samsung");
    for (const std::string gone : {"radios", "viejos", "zenith"})
        EXPECT_TRUE(understand(gone, vocabulary).meanings.empty()) << gone;
}

TEST_F(VocabularyTest, KnowsWhatPartOfAKindABrandMakes) {
    const Vocabulary vocabulary = load_vocabulary(db_);
    const std::string monitors = id_of("categories", "monitores");
    EXPECT_DOUBLE_EQ(vocabulary.share_of(id_of("brands", "lg"), monitors), 2.0 / 3);
    EXPECT_DOUBLE_EQ(vocabulary.share_of(id_of("brands", "lg"), id_of("subcategories", "Curvos")), 1);
    EXPECT_DOUBLE_EQ(vocabulary.share_of(id_of("brands", "lg"), id_of("categories", "placas_de_video")), 0);
    EXPECT_TRUE(understand("placas de video lg", vocabulary).brands.empty());
}

TEST_F(VocabularyTest, HasTheSynonymsThatTheDatabaseHas) {
    EXPECT_EQ(understand("graphics cards", load_vocabulary(db_)).categories.name, "Placas de video");
    EXPECT_TRUE(understand("visor", load_vocabulary(db_)).categories.empty());
    db_.exec(
        "INSERT INTO decant.synonyms (word, written, group_id) "
        "SELECT 'visor', 'visor', group_id FROM decant.synonyms WHERE word = 'monitor'");
    EXPECT_EQ(understand("visores", load_vocabulary(db_)).categories.name, "Monitores");
}

TEST_F(VocabularyTest, DoesWithoutTheTableOfSynonyms) {
    db_.exec("BEGIN; DROP TABLE decant.synonyms");
    EXPECT_EQ(understand("monitor", load_vocabulary(db_)).categories.name, "Monitores");
    db_.exec("ROLLBACK");
}

TEST_F(VocabularyTest, KnowsWhetherAnythingIsMarkedAsAnOffer) {
    EXPECT_FALSE(load_vocabulary(db_).marks_sale);
    EXPECT_FALSE(load_vocabulary(db_).marks_featured);
    db_.exec("BEGIN; UPDATE products SET on_sale = true, featured = true WHERE name = 'off'");
    EXPECT_FALSE(load_vocabulary(db_).marks_sale);
    db_.exec("UPDATE products SET on_sale = true WHERE name = 'one'");
    EXPECT_TRUE(load_vocabulary(db_).marks_sale);
    EXPECT_FALSE(load_vocabulary(db_).marks_featured);
    db_.exec("ROLLBACK");
}

}  // namespace
}  // namespace decant::search
