#include "search/chroma_search.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <array>
#include <cmath>
#include <limits>
#include <thread>

#include "chroma/directory.hpp"
#include "core/error.hpp"
#include "tests/support/fake_chroma.hpp"
#include "tests/support/schema_case.hpp"

namespace decant::search {
namespace {

using chroma::Space;
using test::FakeChroma;
using test::SyntheticChroma;
using testing::HasSubstr;

constexpr int products = 700;

enum class Place { directory, server_v1, server_v2 };

struct Leg {
    Place place;
    Space space;
};

void PrintTo(const Leg& leg, std::ostream* out) {
    *out << static_cast<int>(leg.place) << name_of(leg.space);
}

std::vector<float> scaled_to_1(std::vector<float> vector) {
    double squares = 0;
    for (const float value : vector)
        squares += static_cast<double>(value) * static_cast<double>(value);
    for (float& value : vector)
        value = static_cast<float>(static_cast<double>(value) / std::sqrt(squares));
    return vector;
}

/// 700 products in PostgreSQL and their vectors in Chroma, where a third of the records say which by metadata
/// product_id, a third by metadata sku, and a third by their own id. For all tests, which only read.
class ChromaLeg : public testing::TestWithParam<Leg> {
protected:
    static void SetUpTestSuite() {
        with_ = new test::SchemaCase;
        with_->put_products(products);
        with_->exec(
            "UPDATE products SET featured = true WHERE price <= 30; UPDATE products SET active = false WHERE price > "
            "690");
        pg::Connection db = with_->open();
        const pg::Result rows = db.exec("SELECT id, sku, embedding::real[] FROM products ORDER BY sku");
        for (int row = 0; row < rows.rows(); ++row) {
            test::SourceRecord record{.id = fmt::format("record-{}", row), .vector = floats_of(rows.text(row, 2))};
            if (row % 3 == 0) record.metadata = {{"product_id", std::string{rows.text(row, 0)}}};
            if (row % 3 == 1) record.metadata = {{"sku", std::string{rows.text(row, 1)}}};
            if (row % 3 == 2) record.id = fmt::format("product_{}", rows.text(row, 0));
            records_.push_back(std::move(record));
        }
    }
    static void TearDownTestSuite() {
        delete with_;
        records_.clear();
    }

    static std::vector<float> floats_of(std::string_view array) {
        std::vector<float> out;
        for (const char& c : array) {
            if (c == '{' || c == ',') out.push_back(std::strtof(&c + 1, nullptr));
        }
        return out;
    }

    ChromaLeg()
        : source_({.dimension = test::SchemaCase::dimension, .space = std::string{name_of(GetParam().space)}}),
          server_(GetParam().place == Place::server_v1 ? FakeChroma::Api::v1 : FakeChroma::Api::v2) {
        std::vector<test::SourceRecord> records = records_;
        // Else l2 and ip would order them otherwise.
        for (test::SourceRecord& record : records)
            record.vector = scaled_to_1(record.vector);
        source_.put(records);
        if (GetParam().place != Place::directory) server_.take(chroma::Directory::open(source_.path()));
        const std::string from = GetParam().place == Place::directory ? source_.path().string() : server_.url();
        search_ = std::make_unique<ChromaSearch>(chroma::SourceAddress{.from = from}, "products");
    }
    ~ChromaLeg() override { EXPECT_EQ(server_.violations(), std::vector<std::string>{}); }

    ChromaAnswer find(const Filter& filter, std::uint64_t limit = 10, double threshold = -1) {
        return search_->find({.vector = vector_, .filter = filter, .limit = limit, .threshold = threshold}, db_);
    }

    /// The skus that PostgreSQL finds by comparing all.
    std::vector<std::string> exact(const std::string& condition, std::uint64_t limit) {
        const pg::Result rows = db_.exec(fmt::format(
            "SELECT p.sku FROM products p JOIN categories c ON c.id = p.category_id JOIN brands b ON b.id = p.brand_id "
            "WHERE {} ORDER BY (embedding <=> (SELECT embedding FROM products WHERE sku = 'sku-77')) + 0 LIMIT {}",
            condition, limit));
        std::vector<std::string> skus;
        for (int row = 0; row < rows.rows(); ++row)
            skus.emplace_back(rows.text(row, 0));
        return skus;
    }

    static std::vector<std::string> skus_of(const std::vector<Hit>& hits) {
        std::vector<std::string> skus;
        for (const Hit& hit : hits)
            skus.push_back(hit.sku);
        return skus;
    }

    static inline test::SchemaCase* with_ = nullptr;
    static inline std::vector<test::SourceRecord> records_;
    pg::Connection db_ = with_->open();
    std::vector<float> vector_ =
        floats_of(db_.exec("SELECT embedding::real[] FROM products WHERE sku = 'sku-77'").text(0, 0));
    SyntheticChroma source_;
    FakeChroma server_;
    std::unique_ptr<ChromaSearch> search_;
};

struct FilterCase {
    const char* name;
    Filter filter;
    const char* condition;
};

const std::vector<FilterCase> filters{
    {"none", {}, "p.active"},
    {"category", {.category = "cat-5"}, "p.active AND c.name = 'cat-5'"},
    {"brand", {.brand = "Brand 2"}, "p.active AND b.name = 'brand-2'"},
    {"price", {.min_price = 100, .max_price = 120}, "p.active AND price BETWEEN 100 AND 120"},
    {"one product", {.min_price = 200, .max_price = 200}, "p.active AND price = 200"},
    {"stock", {.in_stock = true}, "p.active AND stock > 0"},
    {"featured", {.featured = true}, "p.active AND featured"},
    {"inactive too", {.min_price = 685, .active = false}, "price >= 685"},
    {"nothing", {.on_sale = true}, "p.active AND p.on_sale"},
    {"all",
     {.category = "cat-1", .brand = "brand-1", .min_price = 1, .max_price = 300, .in_stock = true},
     "p.active AND c.name = 'cat-1' AND b.name = 'brand-1' AND price <= 300 AND stock > 0"}};

TEST_P(ChromaLeg, GivesTheNearestThatPassAndAsManyAsPass) {
    for (const auto& [name, filter, condition] : filters) {
        for (const std::uint64_t limit : {1U, 10U, 100U, 1'000U}) {
            const ChromaAnswer answer = find(filter, limit);
            EXPECT_EQ(skus_of(answer.hits), exact(condition, limit)) << name << ", limit " << limit;
            EXPECT_EQ(answer.cut, "") << name;
            EXPECT_EQ(answer.unknown, 0U) << name;
        }
    }
}

TEST_P(ChromaLeg, GivesTheCosineAndWhatTheCatalogShows) {
    const ChromaAnswer answer = find({}, 50);
    ASSERT_EQ(answer.hits.size(), 50U);
    EXPECT_NEAR(answer.hits[0].similarity.value(), 1, 1e-6);
    for (const Hit& hit : answer.hits) {
        const pg::Result row = db_.query(
            "SELECT 1 - (embedding <=> (SELECT embedding FROM products WHERE sku = 'sku-77')), price, name FROM "
            "products WHERE sku = $1",
            {hit.sku});
        EXPECT_NEAR(hit.similarity.value(), row.real(0, 0), 1e-5);
        EXPECT_EQ(hit.score, hit.similarity);
        EXPECT_EQ(hit.price, row.real(0, 1));
        EXPECT_EQ(hit.name, row.text(0, 2));
    }
    EXPECT_FALSE(answer.hits[0].category.empty() || answer.hits[0].brand.empty());
}

TEST_P(ChromaLeg, ContinuesOnTheNextPageWhereThePageBeforeEnded) {
    const std::vector<std::string> all = exact("p.active AND b.name = 'brand-7'", 100);
    std::vector<std::string> paged;
    for (std::uint64_t offset = 0; offset < 42; offset += 6) {
        const auto page =
            search_->find({.vector = vector_, .filter = {.brand = "brand-7"}, .limit = 6, .offset = offset}, db_);
        for (const Hit& hit : page.hits)
            paged.push_back(hit.sku);
    }
    EXPECT_EQ(paged, all);
}

TEST_P(ChromaLeg, LeavesOutWhatIsUnderTheThreshold) {
    const ChromaAnswer answer = find({}, 1'000, 0.7);
    const std::vector<std::string> above =
        exact("p.active AND 1 - (embedding <=> (SELECT embedding FROM products WHERE sku = 'sku-77')) >= 0.7", 1'000);
    ASSERT_FALSE(above.empty());
    EXPECT_EQ(skus_of(answer.hits), above);
}

TEST_P(ChromaLeg, NamesBothDimensionsWhereTheyDiffer) {
    vector_.resize(3);
    try {
        find({});
        FAIL() << "found";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::dimension_mismatch);
        EXPECT_THAT(error.happened(), testing::StartsWith("Embedding dimension mismatch: the question has a 3-d"));
        EXPECT_THAT(error.happened(), HasSubstr("collection 'products' holds 32-d"));
        EXPECT_THAT(error.remedy(), HasSubstr("OLLAMA_API_MODEL_EMBEDDING"));
    }
}

TEST_P(ChromaLeg, RefusesAVectorWithoutDirection) {
    for (const float value : {0.0F, std::numeric_limits<float>::infinity(), std::nanf("")}) {
        vector_.assign(32, value);
        try {
            find({});
            FAIL() << "found";
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ErrorCode::request_invalid);
        }
    }
}

TEST_P(ChromaLeg, IsAnErrorWithoutPostgreSQLWhateverChromaHas) {
    find({});
    with_->open().query("SELECT pg_terminate_backend($1::int)", {std::to_string(db_.backend_pid())});
    try {
        find({});
        FAIL() << "found";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::store_unavailable) << error.happened();
    }
}

TEST_P(ChromaLeg, AnswersManyThreadsAtOnce) {
    const std::vector<std::string> expected = exact("p.active", 10);
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            pg::Connection db = with_->open();
            for (int question = 0; question < 5; ++question)
                EXPECT_EQ(skus_of(search_->find({.vector = vector_}, db).hits), expected);
        });
    }
}

TEST_P(ChromaLeg, NeedsNoVectorsInPostgreSQL) {
    const test::SchemaCase bare;
    bare.put_products(20);
    bare.exec(
        "DROP SCHEMA IF EXISTS decant CASCADE; ALTER TABLE products DROP COLUMN embedding CASCADE; "
        "DROP EXTENSION vector CASCADE");
    pg::Connection db = bare.open();
    const ChromaAnswer answer = search_->find({.vector = vector_, .limit = 700}, db);
    // By sku: these products have other ids.
    EXPECT_FALSE(answer.hits.empty());
    EXPECT_EQ(answer.hits.size() + answer.unknown, static_cast<std::size_t>(products));
}

TEST_P(ChromaLeg, SaysThatThereIsNoCatalog) {
    pg::Connection db = pg::Connection::open(test::ThrowawayCluster::shared().create_database());
    try {
        search_->find({.vector = vector_}, db);
        FAIL() << "found";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::not_found);
        EXPECT_THAT(error.happened(), HasSubstr("There is no product catalog"));
        EXPECT_THAT(error.remedy(), HasSubstr("decant schema up"));
    }
}

std::string leg_name(const testing::TestParamInfo<Leg>& leg) {
    const std::array<const char*, 3> names{"Directory", "ServerV1", "ServerV2"};
    return fmt::format("{}_{}", names[static_cast<std::size_t>(leg.param.place)], name_of(leg.param.space));
}

INSTANTIATE_TEST_SUITE_P(Places, ChromaLeg,
                         testing::Values(Leg{Place::directory, Space::cosine}, Leg{Place::directory, Space::l2},
                                         Leg{Place::server_v1, Space::cosine}, Leg{Place::server_v1, Space::l2},
                                         Leg{Place::server_v2, Space::cosine}, Leg{Place::server_v2, Space::l2},
                                         Leg{Place::server_v2, Space::ip}),
                         leg_name);

}  // namespace
}  // namespace decant::search
