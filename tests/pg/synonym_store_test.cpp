#include "store/synonym_store.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <fstream>
#include <thread>

#include "catalog/synonym_groups.hpp"
#include "core/error.hpp"
#include "search/keyword_search.hpp"
#include "tests/support/schema_case.hpp"

namespace decant::store {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Synonyms : public testing::Test {
protected:
    Synonyms() {
        with_.exec(
            "DELETE FROM decant.synonyms; INSERT INTO categories (name, display_name) VALUES ('c', 'C');"
            "INSERT INTO products (name, specs, price, sku, category_id) SELECT 'Cosa ' || i, '', i, 'n-' || i, id "
            "FROM categories, generate_series(1, 50) i; INSERT INTO products (name, specs, price, sku, category_id)"
            "SELECT 'Bombilla eléctrica', '', 1, 'mate', id FROM categories");
    }
    std::string found(const std::string& text) {
        const auto hits = search::find_by_words(db_, {.text = text}).hits;
        return hits.empty() ? "" : hits.front().sku;
    }
    SynonymStore::Added add(std::vector<std::string> words) { return SynonymStore{db_}.add(words); }

    test::SchemaCase with_;
    pg::Connection db_ = with_.open();
};

TEST_F(Synonyms, AreSearchedForFromTheMomentTheyAreAdded) {
    EXPECT_EQ(found("foco"), "");
    EXPECT_EQ(add({"foco", "bombilla"}).words, 2U);
    EXPECT_EQ(found("foco"), "mate");
    EXPECT_EQ(found("FOCOS"), "mate");
    SynonymStore{db_}.remove("Foco");
    EXPECT_EQ(found("foco"), "");
}

TEST_F(Synonyms, MayBePhrases) {
    add({"light bulb", "bombilla eléctrica", "lámpara de luz"});
    for (const char* text : {"light bulb", "light bulbs", "lampara de luz", "lámparas de luz"})
        EXPECT_EQ(found(text), "mate") << text;
    EXPECT_EQ(found("light"), "") << "a word of the phrase is not the phrase";
}

TEST_F(Synonyms, OfTwoGroupsBecomeOneWhenAWordOfEachIsAdded) {
    add({"a1", "a2"});
    add({"b1", "b2"});
    const SynonymStore::Added joined = add({"A2", "b1", "new"});
    EXPECT_THAT(joined.group, ElementsAre("a1", "a2", "b1", "b2", "new"));
    EXPECT_EQ(joined.words, 1U);
    EXPECT_EQ(joined.joined, 2U);
    EXPECT_THAT(SynonymStore{db_}.list(), ElementsAre(ElementsAre("a1", "a2", "b1", "b2", "new")));
}

TEST_F(Synonyms, StayAsTheyAreWhenTheyAreAddedAgain) {
    add({"foco", "bombilla"});
    const SynonymStore::Added again = add({"Bombilla", "foco"});
    EXPECT_EQ(again.words, 0U);
    EXPECT_THAT(again.group, ElementsAre("foco", "bombilla"));
}

TEST_F(Synonyms, ThatAreLeftAloneGoWithTheirGroup) {
    add({"a", "b", "c"});
    EXPECT_THAT(SynonymStore{db_}.remove("b").left, ElementsAre("a", "c"));
    EXPECT_THAT(SynonymStore{db_}.remove("a").left, IsEmpty());
    EXPECT_THAT(SynonymStore{db_}.list(), IsEmpty());
}

TEST_F(Synonyms, AreNamedWhereTheRemovedWordIsNone) {
    add({"bombilla", "foco"});
    try {
        SynonymStore{db_}.remove("bombila");
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::not_found);
        EXPECT_THAT(error.remedy(), HasSubstr("'bombilla'"));
    }
}

TEST_F(Synonyms, AreAllAddedOrNone) {
    const std::vector<SynonymGroup> groups{{"a", "b"}, {"alone"}};
    EXPECT_THROW(SynonymStore{db_}.add_all(groups), Error);
    EXPECT_THAT(SynonymStore{db_}.list(), IsEmpty());
}

TEST_F(Synonyms, ThatTwoJoinAtOnceAreOneGroup) {
    constexpr int words = 20;
    const auto add_all = [&](int first) {
        pg::Connection db = with_.open();
        for (int i = first; i < words; i += 2)
            SynonymStore{db}.add(std::vector<std::string>{"w" + std::to_string(i), "w" + std::to_string(i + 1)});
    };
    std::thread odd{add_all, 1};
    add_all(0);
    odd.join();
    const std::vector<SynonymGroup> groups = SynonymStore{db_}.list();
    ASSERT_EQ(groups.size(), 1U);
    EXPECT_EQ(groups.front().size(), words + 1U);
}

TEST_F(Synonyms, OfTheListAreReadBackByLoad) {
    with_.exec("DROP TABLE decant.synonyms");
    ASSERT_EQ(with_.decant().run({"schema", "up"}).exit_code, 0);
    const test::Outcome list = with_.decant().run({"synonyms", "list"});
    const std::vector<SynonymGroup> before = SynonymStore{db_}.list();
    EXPECT_GE(before.size(), 60U);
    with_.exec("DELETE FROM decant.synonyms");
    std::vector<SynonymGroup> groups;
    for (const catalog::SynonymLine& line : catalog::read_synonyms(list.out)) {
        EXPECT_FALSE(line.fault) << *line.fault;
        groups.push_back(line.words);
    }
    SynonymStore{db_}.add_all(groups);
    EXPECT_EQ(SynonymStore{db_}.list(), before);
}

TEST_F(Synonyms, OfTheStarterSetAreKeyedAsTheStoreKeysThem) {
    with_.exec("DROP TABLE decant.synonyms");
    ASSERT_EQ(with_.decant().run({"schema", "up"}).exit_code, 0);
    const pg::Result rows = db_.exec("SELECT word, written FROM decant.synonyms");
    for (int row = 0; row < rows.rows(); ++row)
        EXPECT_EQ(rows.text(row, 0), catalog::synonym_key(rows.text(row, 1)));
}

TEST_F(Synonyms, OfTheUserSurviveTheMigrationAndRemovedOnesDoNotComeBack) {
    with_.exec("DROP TABLE decant.synonyms");
    ASSERT_EQ(with_.psql_file("003_product_search.sql").exit_code, 0);
    SynonymStore{db_}.remove("ratón");
    add({"foco", "bombilla"});
    const std::vector<SynonymGroup> before = SynonymStore{db_}.list();
    ASSERT_EQ(with_.psql_file("003_product_search.sql").exit_code, 0);
    with_.exec("DROP TRIGGER decant_words_changed ON products");
    ASSERT_EQ(with_.decant().run({"schema", "up"}).exit_code, 0);
    EXPECT_EQ(SynonymStore{db_}.list(), before);
}

TEST(NoSynonyms, AreMissedWithACommandThatMakesThem) {
    const test::SchemaCase with{test::ThrowawayCluster::shared().create_database()};
    const test::Outcome list = with.decant().run({"synonyms", "list"});
    EXPECT_EQ(list.exit_code, 65) << list.told();
    EXPECT_THAT(list.err, HasSubstr("decant schema up"));
}

}  // namespace
}  // namespace decant::store
