#include "search/engine.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <numeric>

#include "core/error.hpp"
#include "pg/binary_row.hpp"
#include "tests/support/embedding_case.hpp"
#include "tests/support/synthetic_chroma.hpp"

namespace decant::search {
namespace {

using test::SmallEmbedder;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// Twelve products: p-1 to p-12 of prices 10 to 120, the even ones of umbra and video, p-12 without a vector. The
/// vector of p-N is that of the text "thing N", so a question "thing N" finds it with similarity 1.
class EngineTest : public testing::Test {
protected:
    static void SetUpTestSuite() {
        with_ = new test::EmbeddingCase;
        with_->put(1, 12);
        with_->exec(
            "UPDATE products SET price = 10 * substr(sku, 3)::int, stock = CASE WHEN sku = 'p-3' THEN 0 ELSE 5 END;"
            "UPDATE products SET brand_id = (SELECT id FROM brands WHERE name = 'umbra'), "
            "category_id = (SELECT id FROM categories WHERE name = 'video') WHERE substr(sku, 3)::int % 2 = 0");
        pg::Connection db = with_->open();
        for (int i = 1; i < 12; ++i) {
            const std::string vector =
                pg::binary_vector(SmallEmbedder::vector_of(fmt::format("query: thing {}", i)).values);
            db.query("UPDATE products SET embedding = $2::vector WHERE sku = $1", {fmt::format("p-{}", i)}, vector);
        }
        db.exec("ANALYZE products");
    }
    static void TearDownTestSuite() { delete with_; }

    Answer search(const Request& request, const EngineOptions& options = {}) {
        Engine engine{db_,
                      options,
                      {.embedder = [&]() -> embed::Embedder& {
                           if (is_away_) throw Error{ErrorCode::embedder_unavailable, "The model is away", "Start it."};
                           return model_;
                       },
                       .connect = [] { return std::make_shared<pg::Connection>(with_->open()); },
                       .chroma = chroma_}};
        return engine.search(request);
    }

    static std::vector<std::string> skus(const Answer& answer) {
        std::vector<std::string> skus;
        for (const Hit& hit : answer.hits)
            skus.push_back(hit.sku);
        return skus;
    }

    static inline test::EmbeddingCase* with_ = nullptr;
    pg::Connection db_ = with_->open();
    SmallEmbedder model_;
    bool is_away_ = false;
    const ChromaSearch* chroma_ = nullptr;
};

TEST_F(EngineTest, AnswersByPgvectorAndSaysSo) {
    const Answer answer = search({.text = "thing 5", .limit = 3});
    ASSERT_EQ(answer.hits.size(), 3U);
    EXPECT_EQ(answer.hits.front().sku, "p-5");
    EXPECT_NEAR(*answer.hits.front().similarity, 1, 1e-6);
    EXPECT_EQ(answer.used, "pgvector");
    EXPECT_FALSE(answer.degraded);
    EXPECT_FALSE(answer.diagnosis);
}

TEST_F(EngineTest, KnowsWhichStrategiesWouldBeOthersHere) {
    const auto asked = [&](const EngineOptions& options) {
        const Engine engine{db_, options, {}};
        std::string names;
        for (const Strategy strategy : {Strategy::pgvector_primary, Strategy::chroma_primary, Strategy::hybrid,
                                        Strategy::fusion, Strategy::pgvector, Strategy::chroma, Strategy::keyword})
            if (engine.can_ask(strategy)) names += fmt::format("{} ", strategy_names[strategy]);
        return names;
    };
    EXPECT_EQ(asked({}), "pgvector_primary fusion pgvector keyword ");
    EXPECT_EQ(asked({.use_pgvector = false}), "keyword ");
}

TEST_F(EngineTest, PagesAreTheSameListInPieces) {
    const std::vector<std::string> all = skus(search({.text = "thing 5", .limit = 9, .threshold = -1}));
    std::vector<std::string> pages;
    for (const std::uint64_t offset : {0U, 3U, 6U}) {
        for (const std::string& sku : skus(search({.text = "thing 5", .limit = 3, .offset = offset, .threshold = -1})))
            pages.push_back(sku);
    }
    EXPECT_EQ(pages, all);
    EXPECT_THAT(search({.text = "thing 5", .limit = 3, .offset = 30, .threshold = -1}).hits, IsEmpty());
}

TEST_F(EngineTest, PagesOfAQuestionForSomethingCheapHaveEveryProductOnce) {
    const test::EmbeddingCase many;
    many.put(1, 130);
    many.exec("UPDATE products SET price = 1 + (substr(sku, 3)::int * 37) % 101");
    pg::Connection db = many.open();
    for (int i = 1; i <= 130; ++i) {
        const std::string vector = pg::binary_vector(SmallEmbedder::vector_of(fmt::format("thing {}", i)).values);
        db.query("UPDATE products SET embedding = $2::vector WHERE sku = $1", {fmt::format("p-{}", i)}, vector);
    }
    Engine engine{db, {}, {.embedder = [&]() -> embed::Embedder& { return model_; }}};
    std::vector<std::string> pages;
    for (std::uint64_t offset = 0; offset < 130; offset += 24) {
        const Answer page = engine.search({.text = "thing 5 barata", .limit = 24, .offset = offset, .threshold = -1});
        ASSERT_EQ(page.understood.wish, PriceWish::cheap);
        std::ranges::copy(skus(page), std::back_inserter(pages));
    }
    EXPECT_EQ(pages.size(), 130U);
    std::ranges::sort(pages);
    EXPECT_EQ(std::ranges::adjacent_find(pages), pages.end()) << "one came twice";
}

TEST_F(EngineTest, TakesTheRequestsThresholdThenTheSettingsThenTheModels) {
    EXPECT_EQ(search({.text = "thing 5"}).threshold, 0.0);
    EXPECT_EQ(search({.text = "thing 5"}, {.pgvector_threshold = 0.4}).threshold, 0.4);
    const Answer answer = search({.text = "thing 5", .threshold = 0.999}, {.pgvector_threshold = 0.4});
    EXPECT_EQ(answer.threshold, 0.999);
    EXPECT_THAT(skus(answer), ElementsAre("p-5"));
}

TEST_F(EngineTest, AsksChromaOnANewConnectionWhereItsOwnBroke) {
    test::SyntheticChroma source{{.dimension = 8}};
    for (int i = 1; i < 12; ++i)
        source.put({{.id = fmt::format("r-{}", i),
                     .vector = SmallEmbedder::vector_of(fmt::format("query: thing {}", i)).values,
                     .metadata = {{"sku", fmt::format("p-{}", i)}}}});
    const ChromaSearch chroma{{.from = source.path().string()}, "products"};
    int chroma_backend = 0;
    Engine engine{db_,
                  {.strategy = Strategy::chroma},
                  {.embedder = [&]() -> embed::Embedder& { return model_; },
                   .connect =
                       [&] {
                           auto second = std::make_shared<pg::Connection>(with_->open());
                           chroma_backend = second->backend_pid();
                           return second;
                       },
                   .chroma = &chroma}};
    for (int question = 0; question < 3; ++question) {
        const Answer answer = engine.search({.text = "thing 5", .limit = 1, .threshold = -1});
        EXPECT_THAT(skus(answer), ElementsAre("p-5"));
        EXPECT_FALSE(answer.degraded);
        with_->open().query("SELECT pg_terminate_backend($1::int, 5000)", {std::to_string(chroma_backend)});
    }
}

TEST_F(EngineTest, CountsFacetsOverAllThatPassesTheFilter) {
    const Answer answer = search({.text = "thing 5", .filter = {.max_price = 100}, .limit = 1, .facets = true});
    ASSERT_TRUE(answer.facets);
    EXPECT_EQ(answer.facets->products, 10U);
    ASSERT_EQ(answer.facets->brands.size(), 2U);
    EXPECT_EQ(answer.facets->brands[0].products, 5U);
    EXPECT_EQ(answer.facets->categories[1].name, "Video");
    const auto& prices = answer.facets->prices;
    ASSERT_GE(prices.size(), 3U);
    EXPECT_FALSE(prices.front().from);
    EXPECT_FALSE(prices.back().to);
    for (std::size_t i = 1; i < prices.size(); ++i)
        EXPECT_EQ(prices[i].from, prices[i - 1].to);
    EXPECT_EQ(std::accumulate(prices.begin(), prices.end(), std::uint64_t{0},
                              [](std::uint64_t sum, const PriceRange& range) { return sum + range.products; }),
              10U);
}

TEST_F(EngineTest, NamesWhatKeepsProductsOutOfAnEmptyAnswer) {
    const Answer answer =
        search({.text = "thing 3", .filter = {.brand = "acme", .max_price = 30, .in_stock = true}, .threshold = 0.99});
    EXPECT_THAT(answer.hits, IsEmpty());
    ASSERT_TRUE(answer.diagnosis);
    EXPECT_EQ(answer.diagnosis->products, 12U);
    EXPECT_EQ(answer.diagnosis->without_embedding, 1U);
    EXPECT_EQ(answer.diagnosis->passing, 1U);
    ASSERT_TRUE(answer.diagnosis->best_similarity);
    EXPECT_LT(*answer.diagnosis->best_similarity, 0.99);
    EXPECT_THAT(answer.diagnosis->causes(), Contains("in stock keeps out 1 product"));
    EXPECT_THAT(answer.diagnosis->causes(), Contains("brand 'acme' keeps out 1 product"));
    EXPECT_THAT(answer.diagnosis->causes(), Contains("price up to 30 keeps out 4 products"));
    EXPECT_THAT(answer.diagnosis->causes(), Contains(HasSubstr("under the threshold 0.99")));
    EXPECT_THAT(answer.diagnosis->causes(), Contains("1 of 12 products have no embedding: `decant embed`"));
}

TEST_F(EngineTest, SaysThatAQuestionIsTooShort) {
    const Answer answer = search({.text = "a", .threshold = 0.999});
    ASSERT_TRUE(answer.diagnosis);
    EXPECT_THAT(answer.diagnosis->causes(), Contains("the question is too short to be understood"));
}

TEST_F(EngineTest, ThrowsWhatIsWrongWithTheFilterWhateverTheStrategy) {
    for (const Strategy strategy : {Strategy::pgvector_primary, Strategy::fusion, Strategy::hybrid})
        EXPECT_THROW(search({.text = "thing 1", .filter = {.brand = "nobody"}, .strategy = strategy}), Error);
}

TEST_F(EngineTest, RefusesPgvectorAloneWhereItIsSwitchedOff) {
    try {
        search({.text = "thing 1", .strategy = Strategy::pgvector}, {.use_pgvector = false});
        FAIL() << "answered";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::config_invalid);
        EXPECT_THAT(error.remedy(), HasSubstr("USE_PGVECTOR"));
    }
}

/// Whatever of the three legs is missing or fails, the others answer, and the answer says so.
struct FaultCase {
    const char* name;
    Strategy strategy;
    bool model_is_away;
    bool chroma_is_away;
    bool has_pgvector;
    const char* used;
    bool degraded;
};

class EngineFaults : public EngineTest, public testing::WithParamInterface<FaultCase> {};

TEST_P(EngineFaults, AreAnsweredByTheLegsThatAreLeft) {
    const FaultCase& one = GetParam();
    is_away_ = one.model_is_away;
    // Nothing is there to be read.
    const ChromaSearch away{{.from = "nowhere"}, "products"};
    if (one.chroma_is_away) chroma_ = &away;
    const Answer answer =
        search({.text = "producto 5", .threshold = -1, .strategy = one.strategy}, {.use_pgvector = one.has_pgvector});
    EXPECT_EQ(answer.used, one.used);
    EXPECT_EQ(answer.degraded, one.degraded);
    EXPECT_FALSE(answer.hits.empty());
    EXPECT_EQ(answer.degraded, !answer.reason.empty()) << answer.reason;
}

INSTANTIATE_TEST_SUITE_P(
    Each, EngineFaults,
    testing::Values(FaultCase{"ModelAway", Strategy::pgvector_primary, true, false, true, "keyword", true},
                    FaultCase{"ModelAwayFusion", Strategy::fusion, true, false, true, "keyword", true},
                    FaultCase{"ModelAwayHybrid", Strategy::hybrid, true, true, true, "keyword", true},
                    FaultCase{"ModelAndChromaAway", Strategy::chroma_primary, true, true, true, "keyword", true},
                    FaultCase{"ChromaAway", Strategy::chroma_primary, false, true, true, "pgvector", true},
                    FaultCase{"ChromaAwayHybrid", Strategy::hybrid, false, true, true, "pgvector", true},
                    FaultCase{"ChromaAwayUnasked", Strategy::pgvector_primary, false, true, true, "pgvector", false},
                    FaultCase{"NoChroma", Strategy::chroma_primary, false, false, true, "pgvector", false},
                    FaultCase{"PgvectorOff", Strategy::pgvector_primary, false, false, false, "keyword", false},
                    FaultCase{"PgvectorOffFusion", Strategy::fusion, false, false, false, "keyword", false},
                    FaultCase{"PgvectorOffChromaAway", Strategy::hybrid, false, true, false, "keyword", true}),
    [](const auto& one) { return one.param.name; });

TEST_F(EngineTest, AnswersByWordsWhereTheColumnOfVectorsIsGone) {
    test::EmbeddingCase other;
    other.put(1, 5);
    other.exec("ALTER TABLE products DROP COLUMN embedding CASCADE");
    pg::Connection db = other.open();
    Engine engine{db, {}, {.embedder = [&]() -> embed::Embedder& { return model_; }}};
    const Answer answer = engine.search({.text = "producto 5", .literal = true});
    EXPECT_EQ(answer.used, "keyword");
    EXPECT_TRUE(answer.degraded);
    EXPECT_THAT(answer.reason, HasSubstr("products.embedding column not found"));
}

TEST_F(EngineTest, TakesPricesAndNamesOfTheQuestionForFiltersUnlessItIsLiteral) {
    const Answer answer = search({.text = "producto umbra hasta 60", .threshold = -1});
    EXPECT_EQ(answer.understood.max_price, 60.0);
    EXPECT_THAT(answer.understood.brands.name, testing::StrCaseEq("umbra"));
    for (const Hit& hit : answer.hits) {
        EXPECT_EQ(hit.brand, "umbra");
        EXPECT_LE(hit.price, 60);
    }
    EXPECT_EQ(answer.hits.size(), 3U);
    const Answer literal = search({.text = "producto umbra hasta 60", .threshold = -1, .literal = true});
    EXPECT_EQ(literal.hits.size(), 10U);
    EXPECT_FALSE(literal.understood.max_price);
}

TEST_F(EngineTest, WhatTheCallerSaysGoesBeforeWhatTheQuestionSays) {
    const Answer answer = search({.text = "producto umbra hasta 60", .filter = {.brand = "acme"}, .threshold = -1});
    for (const Hit& hit : answer.hits)
        EXPECT_EQ(hit.brand, "acme");
    EXPECT_EQ(answer.hits.size(), 3U);
}

TEST_F(EngineTest, LeavesOutANameThatNothingIsOf) {
    with_->exec("INSERT INTO brands (name, display_name) VALUES ('zenit', 'Zenit') ON CONFLICT DO NOTHING");
    const Answer answer = search({.text = "producto zenit hasta 60", .threshold = -1});
    EXPECT_FALSE(answer.hits.empty());
    EXPECT_EQ(answer.drops_names, answer.understood.has_names());
}

/// A model that has thresholds of its own.
class KnownEmbedder final : public embed::Embedder {
public:
    const embed::Model& model() const noexcept override { return model_; }
    std::vector<embed::TextVector> embed(std::span<const std::string_view> texts, embed::Role role) override {
        return small_.embed(texts, role);
    }

private:
    SmallEmbedder small_;
    embed::Model model_{.provider = "test",
                        .name = "known",
                        .dimension = 8,
                        .search_threshold = 0.7,
                        .threshold_range = embed::ThresholdRange{0.4, 0.9}};
};

struct ThresholdCase {
    const char* name;
    std::optional<double> request;
    std::optional<double> setting;
    const char* brand;  ///< given by the caller
    double used;
    bool warns;
};

class EngineThresholds : public EngineTest, public testing::WithParamInterface<ThresholdCase> {};

TEST_P(EngineThresholds, GoFromTheRequestOverTheSettingToTheModel) {
    const ThresholdCase& one = GetParam();
    KnownEmbedder model;
    Engine engine{db_, {.pgvector_threshold = one.setting}, {.embedder = [&]() -> embed::Embedder& { return model; }}};
    Request request{.text = "thing 5", .threshold = one.request, .literal = true};
    if (one.brand != nullptr) request.filter.brand = one.brand;
    const Answer answer = engine.search(request);
    EXPECT_DOUBLE_EQ(answer.threshold.value(), one.used);
    EXPECT_EQ(answer.warnings.size(), one.warns ? 1U : 0U);
}

INSTANTIATE_TEST_SUITE_P(Each, EngineThresholds,
                         testing::Values(ThresholdCase{"Model", {}, {}, nullptr, 0.7, false},
                                         ThresholdCase{"ModelHalvedByAName", {}, {}, "acme", 0.35, false},
                                         ThresholdCase{"Setting", {}, 0.6, nullptr, 0.6, false},
                                         ThresholdCase{"SettingWhateverIsNamed", {}, 0.6, "acme", 0.6, false},
                                         ThresholdCase{"SettingOutOfRange", {}, 0.2, nullptr, 0.2, true},
                                         ThresholdCase{"SettingOverTheRange", {}, 0.95, nullptr, 0.95, true},
                                         ThresholdCase{"Request", 0.1, 0.6, nullptr, 0.1, false},
                                         ThresholdCase{"RequestOverABadSetting", 0.5, 0.2, "acme", 0.5, false}),
                         [](const auto& one) { return one.param.name; });

TEST(EngineOptions, AreTheSettings) {
    const EngineOptions options = engine_options(Settings::from(
        {},
        {{"USE_PGVECTOR", "false"}, {"PRODUCT_SEARCH_STRATEGY", "hybrid"}, {"PGVECTOR_SIMILARITY_THRESHOLD", "0.6"}}));
    EXPECT_FALSE(options.use_pgvector);
    EXPECT_EQ(options.strategy, Strategy::hybrid);
    EXPECT_EQ(options.pgvector_threshold, 0.6);
    EXPECT_FALSE(options.chroma_threshold);
    for (const char* wrong : {"2", "abc", "0.5x", "nan"})
        EXPECT_THROW(engine_options(Settings::from({}, {{"CHROMA_SIMILARITY_THRESHOLD", wrong}})), Error) << wrong;
}

}  // namespace
}  // namespace decant::search
