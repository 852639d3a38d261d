#include <fmt/format.h>

#include <boost/json/parse.hpp>
#include <fstream>
#include <iterator>
#include <map>
#include <thread>

#include "core/error.hpp"
#include "store/product_store.hpp"
#include "tests/support/catalog_case.hpp"

namespace decant::test {
namespace {

using catalog::Product;
using testing::ElementsAre;
using testing::HasSubstr;

using Counts = std::vector<std::uint64_t>;  // created, updated, unchanged, refused

Counts counts_of(const store::UpsertOutcome& outcome) {
    return {outcome.created, outcome.updated, outcome.unchanged, outcome.refused.size()};
}

Product mouse(const std::string& sku, double price = 10.5) {
    return {.sku = sku, .name = "Mouse " + sku, .category = "mouses", .brand = "Logitech", .price = price, .stock = 3};
}

store::UpsertOutcome upsert(const CatalogCase& with, const std::vector<Product>& page) {
    pg::Connection db = with.open();
    return store::ProductStore{db}.upsert(page);
}

class LoadedFile {
public:
    LoadedFile(const CatalogCase& with, const std::string& content) : with_(with) {
        std::ofstream{with.decant().folder() / "products"} << content;
        outcome = with.decant().run({"products", "load", "products", "--json"});
    }

    std::uint64_t count(const std::string& name) const {
        return outcome.json().as_object().at(name).to_number<std::uint64_t>();
    }
    /// read, created, updated, unchanged, rejected
    Counts counts() const {
        EXPECT_EQ(count("read"), count("created") + count("updated") + count("unchanged") + count("rejected"));
        return {count("read"), count("created"), count("updated"), count("unchanged"), count("rejected")};
    }
    /// The reasons of rejects.jsonl by their line.
    std::map<std::int64_t, std::string> reasons() const {
        std::map<std::int64_t, std::string> reasons;
        std::ifstream file{with_.decant().folder() / "rejects.jsonl"};
        for (std::string line; std::getline(file, line);) {
            const boost::json::object reject = boost::json::parse(line).as_object();
            reasons[reject.at("line").as_int64()] = std::string{reject.at("reason").as_string()};
        }
        return reasons;
    }

    Outcome outcome;

private:
    const CatalogCase& with_;
};

TEST(Products, AreInsertedOnceAndThenOnlyWhereTheyChanged) {
    const CatalogCase with;
    EXPECT_THAT(counts_of(upsert(with, {mouse("A"), mouse("B")})), ElementsAre(2, 0, 0, 0));
    const std::string before = with.value("SELECT string_agg(ctid::text || xmin, ' ' ORDER BY sku) FROM products");
    EXPECT_THAT(counts_of(upsert(with, {mouse("A"), mouse("B")})), ElementsAre(0, 0, 2, 0));
    EXPECT_EQ(with.value("SELECT string_agg(ctid::text || xmin, ' ' ORDER BY sku) FROM products"), before);
    EXPECT_THAT(counts_of(upsert(with, {mouse("A", 11), mouse("B"), mouse("C")})), ElementsAre(1, 1, 1, 0));
    EXPECT_EQ(with.value("SELECT string_agg(sku || price, ' ' ORDER BY sku) FROM products"), "A11 B10.5 C10.5");
}

TEST(Products, LeaveWhatTheFileDoesNotSay) {
    const CatalogCase with;
    Product whole = mouse("A");
    whole.description = "Óptico";
    whole.technical_specs = R"({"DPI":"1600"})";
    whole.active = false;
    upsert(with, {whole});
    EXPECT_THAT(counts_of(upsert(with, {{.sku = "A", .price = 12}})), ElementsAre(0, 1, 0, 0));
    EXPECT_EQ(with.value("SELECT concat_ws('|', price, description, technical_specs, active, stock) FROM products"),
              R"(12|Óptico|{"DPI": "1600"}|f|3)");
}

TEST(Products, MakeCategoriesSubcategoriesAndBrandsOnce) {
    const CatalogCase with;
    Product first = mouse("A");
    first.category_display_name = "Mouses y más";
    first.subcategory = "Gamer";
    Product second = mouse("B");
    second.subcategory = "Gamer";
    const auto outcome = upsert(with, {first, second});
    EXPECT_EQ(outcome.categories_created, 1U);
    EXPECT_EQ(outcome.brands_created, 1U);
    EXPECT_EQ(upsert(with, {first, second}).categories_created, 0U);
    EXPECT_EQ(with.value("SELECT display_name FROM categories WHERE name = 'mouses'"), "Mouses y más");
    EXPECT_EQ(with.value("SELECT count(*) FROM subcategories"), "1");
    EXPECT_EQ(with.value("SELECT count(DISTINCT subcategory_id) FROM products WHERE brand_id IS NOT NULL"), "1");
}

TEST(Products, OfARefusedRecordMakeNoCategory) {
    const CatalogCase with;
    Product nameless = mouse("A");
    nameless.name.reset();
    EXPECT_THAT(counts_of(upsert(with, {nameless})), ElementsAre(0, 0, 0, 1));
    EXPECT_EQ(with.value("SELECT count(*) FROM categories WHERE name = 'mouses'"), "0");
}

TEST(Products, AreMatchedByIdBeforeSku) {
    const CatalogCase with;
    const std::string id = "6f9619ff-8b86-5011-b42d-00cf4fc964ff";
    Product product = mouse("A");
    product.id = id;
    upsert(with, {product, mouse("B")});
    product.sku = "A-2";
    EXPECT_THAT(counts_of(upsert(with, {product})), ElementsAre(0, 1, 0, 0));
    EXPECT_EQ(with.value("SELECT id FROM products WHERE sku = 'A-2'"), id);
    product.sku = "B";
    const auto outcome = upsert(with, {product});
    ASSERT_EQ(outcome.refused.size(), 1U);
    EXPECT_THAT(outcome.refused[0].reason, HasSubstr("sku 'B' is that of product "));
}

TEST(Products, ThatStandInAPageTwiceAreRefusedTheSecondTime) {
    const CatalogCase with;
    upsert(with, {mouse("A")});
    Product by_id = mouse("A", 11);
    by_id.id = with.value("SELECT id FROM products");
    by_id.sku.reset();
    const auto outcome = upsert(with, {by_id, mouse("A", 12), mouse("N"), mouse("N", 13), Product{.name = "x"}});
    EXPECT_THAT(counts_of(outcome), ElementsAre(1, 1, 0, 3));
    EXPECT_EQ(outcome.refused[0].index, 1U);
    EXPECT_EQ(outcome.refused[1].index, 3U);
    EXPECT_EQ(outcome.refused[2].reason, "has neither id nor sku");
    EXPECT_EQ(with.value("SELECT price FROM products WHERE sku = 'A'"), "11");
}

TEST(Products, OfAPriceChangeKeepTheirEmbeddingFresh) {
    const CatalogCase with;
    upsert(with, {mouse("A")});
    with.exec("UPDATE products SET embedding = '[1,0,0,0,0,0,0,0]', last_embedding_update = now()");
    upsert(with, {mouse("A", 99)});
    EXPECT_EQ(with.value("SELECT last_embedding_update IS NOT NULL FROM products"), "t");
    Product renamed = mouse("A", 99);
    renamed.name = "Otro";
    upsert(with, {renamed});
    EXPECT_EQ(with.value("SELECT last_embedding_update IS NOT NULL FROM products"), "f");
}

TEST(Products, AreLoadedByTwoAtOnceWithoutDoubles) {
    const CatalogCase with;
    std::string file = "sku,name,price,category,brand\n";
    for (int i = 0; i < 3000; ++i)
        file += fmt::format("S-{0},Mouse {0},{0}.50,cat-{1},brand-{1}\n", i, i % 7);
    std::ofstream{with.decant().folder() / "products"} << file;
    const std::vector<std::string> load{"products", "load", "products", "--json"};
    auto one = with.decant().start(load);
    auto other = with.decant().start(load);
    std::uint64_t created = 0;
    for (const Outcome& outcome : {one.wait(), other.wait()}) {
        EXPECT_EQ(outcome.exit_code, 0) << outcome.told();
        created += outcome.json().as_object().at("created").to_number<std::uint64_t>();
    }
    EXPECT_EQ(created, 3000U);
    EXPECT_EQ(with.value("SELECT count(*) || ' ' || count(DISTINCT brand_id) FROM products"), "3000 7");
}

TEST(Products, ThatAnotherSessionInsertsMeanwhileAreUpdated) {
    const CatalogCase with;
    pg::Connection other = with.open();
    pg::Transaction open{other};
    other.exec(
        "INSERT INTO products (id, name, specs, price, stock, sku, category_id) SELECT gen_random_uuid(), 'Otro', '', "
        "1, 1, 'A', id FROM categories LIMIT 1");
    Counts counts;
    std::jthread load{[&] { counts = counts_of(upsert(with, {mouse("A")})); }};
    while (with.value("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND "
                      "wait_event = 'transactionid'") == "0")
        std::this_thread::yield();
    open.commit();
    load.join();
    EXPECT_THAT(counts, ElementsAre(0, 1, 0, 0));
    EXPECT_EQ(with.value("SELECT name FROM products"), "Mouse A");
}

TEST(ProductsLoad, CountsEveryRecordOnceAndKeepsTheRejected) {
    const CatalogCase with;
    const std::string file =
        "sku,name,price,stock,category\nA,Mouse,1.50,1,m\nB,Mouse,\"1,5\",-1,m\nA,again,1,1,m\nC,no price,,1,m\nD,x\n";
    const LoadedFile loaded{with, file};
    EXPECT_EQ(loaded.outcome.exit_code, 1);
    EXPECT_THAT(loaded.counts(), ElementsAre(5, 1, 0, 0, 4));
    const auto reasons = loaded.reasons();
    EXPECT_THAT(reasons.at(3), HasSubstr("stock '-1'"));
    EXPECT_EQ(reasons.at(4), "sku 'A' stands in line 2 already");
    EXPECT_EQ(reasons.at(5), "a new product needs a price");
    EXPECT_EQ(reasons.at(6), "has 2 fields, the header 5");
    EXPECT_THAT((LoadedFile{with, file}.counts()), ElementsAre(5, 0, 0, 1, 4));
}

TEST(ProductsLoad, KeepsMoneyToTheLastDigit) {
    const CatalogCase with;
    const LoadedFile loaded{with, R"([{"sku":"A","name":"x","category":"m","price":0.1,"cost_price":99999999.99},
                                      {"sku":"B","name":"x","category":"m","price":"9007199254740.99"}])"};
    EXPECT_THAT(loaded.counts(), ElementsAre(2, 2, 0, 0, 0));
    EXPECT_EQ(
        with.value("SELECT string_agg(price || '/' || coalesce(cost_price::text, ''), ' ' ORDER BY sku) FROM products"),
        "0.1/99999999.99 9007199254740.99/");
}

/// `decant ARGUMENTS` in a shell that has run `before`.
Outcome run_after(const DecantProgram& decant, const std::string& before, const std::vector<std::string>& arguments) {
    return decant.run_under({"/bin/sh", "-c", before + " && exec \"$0\" \"$@\""}, arguments);
}

TEST(Sample, IsLoadedWholeAndGetsTheVectorsThatChromaHas) {
    const DecantProgram decant{ThrowawayCluster::shared().create_database()};
    EXPECT_EQ(decant.run({"schema", "up", "--dimension", "384"}).exit_code, 0);
    const std::string unpack =
        "cd " + decant.folder().string() + " && gzip -dc '" DECANT_SOURCE_DIR "/sample/products.jsonl.gz' > products";
    const Outcome loaded = run_after(decant, unpack, {"products", "load", "products", "--json"});
    EXPECT_EQ(loaded.json().as_object().at("created").to_number<int>(), 1500) << loaded.told();
    const Outcome again = decant.run({"products", "load", "products", "--json"});
    EXPECT_EQ(again.json().as_object().at("unchanged").to_number<int>(), 1500) << again.told();

    const std::string unpack_chroma = "tar -xzf '" DECANT_SOURCE_DIR "/sample/chroma.tar.gz'";
    const Outcome migrated = run_after(decant, unpack_chroma, {"migrate", "--from", "chroma", "--json"});
    EXPECT_EQ(migrated.exit_code, 0) << migrated.told();
    EXPECT_EQ(migrated.json().as_object().at("migrated").to_number<int>(), 1200) << migrated.told();
    const Outcome missing = decant.run({"products", "list", "--missing", "--json"});
    EXPECT_EQ(missing.json().as_object().at("total").to_number<int>(), 300) << missing.told();
    const Outcome similar = decant.run({"similar", "NOT-0001", "--limit", "1"});
    EXPECT_THAT(similar.out, HasSubstr("ASUS TUF Gaming F15")) << similar.told();
}

TEST(ProductsLoad, SaysHowTheCatalogIsMade) {
    const DecantProgram decant{ThrowawayCluster::shared().create_database()};
    std::ofstream{decant.folder() / "products"} << "sku,name\nA,x\n";
    const Outcome outcome = decant.run({"products", "load", "products"});
    EXPECT_EQ(outcome.exit_code, 65);
    EXPECT_THAT(outcome.err, HasSubstr("Make it with `decant schema up`."));
}

}  // namespace
}  // namespace decant::test
