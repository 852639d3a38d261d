#include "search/strategy.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "search/fusion.hpp"

namespace decant::search {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// What a leg does: "-" is not there, "!" fails, else it finds the products of these letters, each with the similarity
/// that the letter has ("a" the highest).
LegSearch leg(std::string_view does, std::string_view name) {
    if (does == "-") return {};
    return [does = std::string{does}, name = std::string{name}](const LegQuery& query) -> LegAnswer {
        if (does == "!") throw Error{ErrorCode::store_unavailable, fmt::format("{} is away", name), "Wait."};
        LegAnswer answer{.hits = {}, .threshold = name == "keyword" ? -1 : 0.5};
        for (const char letter : does) {
            const double similarity = 1 - 0.1 * (letter - 'a');
            if (similarity < answer.threshold && !query.below_threshold) continue;
            answer.hits.push_back({.id = std::string{letter}, .similarity = similarity, .score = similarity});
        }
        if (answer.hits.size() > query.limit) answer.hits.resize(query.limit);
        return answer;
    };
}

std::string ids(const std::vector<Hit>& hits) {
    std::string out;
    for (const Hit& hit : hits)
        out += hit.id;
    return out;
}

struct Case {
    Strategy strategy;
    std::string_view pgvector;
    std::string_view chroma;
    std::string_view keyword;
    std::string_view used;
    bool degraded;
    std::string_view found;  ///< in any order
};

class Strategies : public testing::TestWithParam<Case> {};

TEST_P(Strategies, AskTheLegsInTheirOrderAndSayWhoAnswered) {
    const Case& one = GetParam();
    const Legs legs{.pgvector = leg(one.pgvector, "pgvector"),
                    .chroma = leg(one.chroma, "chroma"),
                    .keyword = leg(one.keyword, "keyword")};
    const StrategyOutcome outcome = run_strategy(one.strategy, legs, 4);
    EXPECT_EQ(outcome.used, one.used);
    EXPECT_EQ(outcome.degraded, one.degraded);
    std::string found = ids(outcome.hits);
    std::ranges::sort(found);
    EXPECT_EQ(found, one.found);
    const bool first_answered = outcome.legs.size() == 1 || one.used == "hybrid" || one.used == "fusion";
    EXPECT_EQ(outcome.reason.empty(), first_answered && !one.degraded) << outcome.reason;
}

using enum Strategy;

INSTANTIATE_TEST_SUITE_P(
    Each, Strategies,
    testing::Values(
        // pgvector answers alone when it finds two or more.
        Case{pgvector_primary, "abc", "d", "e", "pgvector", false, "abc"},
        Case{pgvector_primary, "abcde", "-", "e", "pgvector", false, "abcd"},
        // One is not enough: Chroma, then words; who found most answers, of two the earlier.
        Case{pgvector_primary, "a", "bc", "de", "chroma", false, "bc"},
        Case{pgvector_primary, "a", "b", "cde", "keyword", false, "cde"},
        Case{pgvector_primary, "a", "b", "c", "pgvector", false, "a"},
        Case{pgvector_primary, "", "b", "", "chroma", false, "b"},
        Case{pgvector_primary, "", "-", "", "pgvector", false, ""},
        Case{pgvector_primary, "a", "-", "bc", "keyword", false, "bc"},
        // A failure is told of; what was switched off is none.
        Case{pgvector_primary, "!", "bc", "d", "chroma", true, "bc"},
        Case{pgvector_primary, "!", "-", "d", "keyword", true, "d"},
        Case{pgvector_primary, "!", "!", "de", "keyword", true, "de"},
        Case{pgvector_primary, "a", "!", "de", "keyword", true, "de"},
        Case{pgvector_primary, "a", "!", "!", "pgvector", true, "a"},
        Case{pgvector_primary, "-", "bc", "d", "chroma", false, "bc"},
        Case{pgvector_primary, "-", "-", "d", "keyword", false, "d"},
        Case{chroma_primary, "abc", "de", "c", "chroma", false, "de"},
        Case{chroma_primary, "abc", "d", "c", "pgvector", false, "abc"},
        Case{chroma_primary, "abc", "!", "c", "pgvector", true, "abc"},
        Case{chroma_primary, "abc", "-", "c", "pgvector", false, "abc"},
        Case{chroma_primary, "-", "!", "c", "keyword", true, "c"},
        Case{hybrid, "abc", "cd", "e", "hybrid", false, "abcd"}, Case{hybrid, "a", "a", "de", "keyword", false, "de"},
        Case{hybrid, "!", "cd", "e", "chroma", true, "cd"}, Case{hybrid, "ab", "!", "e", "pgvector", true, "ab"},
        Case{hybrid, "!", "!", "e", "keyword", true, "e"}, Case{hybrid, "ab", "-", "e", "pgvector", false, "ab"},
        Case{hybrid, "-", "cd", "e", "chroma", false, "cd"}, Case{fusion, "ab", "c", "bd", "fusion", false, "abd"},
        // Under the threshold of 0.5 a product counts only where words have it too.
        Case{fusion, "agh", "-", "h", "fusion", false, "ah"}, Case{fusion, "!", "c", "bd", "keyword", true, "bd"},
        Case{fusion, "ag", "c", "!", "pgvector", true, "a"}, Case{fusion, "-", "c", "bd", "keyword", false, "bd"},
        Case{Strategy::pgvector, "a", "bc", "bc", "pgvector", false, "a"},
        Case{Strategy::chroma, "ab", "c", "bc", "chroma", false, "c"},
        Case{Strategy::keyword, "ab", "cd", "", "keyword", false, ""}),
    [](const auto& one) {
        const auto word = [](std::string_view does) {
            return does == "-" ? "absent" : does == "!" ? "failing" : does.empty() ? "nothing" : std::string{does};
        };
        return fmt::format("{}_{}_{}_{}", strategy_names[one.param.strategy], word(one.param.pgvector),
                           word(one.param.chroma), word(one.param.keyword));
    });

TEST(Fusion, GivesEveryPageOfOneListHoweverManyAreAskedFor) {
    const auto in_order = [](int step, bool is_semantic) -> LegSearch {
        return [step, is_semantic](const LegQuery& query) -> LegAnswer {
            LegAnswer answer{.hits = {}, .threshold = is_semantic ? 0.5 : -1};
            for (int place = 0; place < 499 && answer.hits.size() < query.limit; ++place) {
                const double score = 1 - place / 1000.0;
                answer.hits.push_back(
                    {.id = fmt::format("{}", place * step % 499), .similarity = score, .score = score});
            }
            return answer;
        };
    };
    const Legs legs{.pgvector = in_order(1, true), .keyword = in_order(7, false)};
    const std::vector<Hit> all = run_strategy(Strategy::fusion, legs, 400).hits;
    ASSERT_EQ(all.size(), 400U);
    for (const std::size_t limit : {24U, 48U, 72U, 100U, 200U, 240U}) {
        const std::vector<Hit> some = run_strategy(Strategy::fusion, legs, limit).hits;
        ASSERT_EQ(some.size(), limit);
        for (std::size_t place = 0; place < limit; ++place)
            ASSERT_EQ(some[place].id, all[place].id) << "place " << place << " of " << limit;
    }
}

TEST(Strategy, ThrowsTheFirstFailureWhereAllFail) {
    for (const Strategy strategy : {pgvector_primary, hybrid, fusion}) {
        const Legs legs{.pgvector = leg("!", "pgvector"), .chroma = leg("!", "chroma"), .keyword = leg("!", "keyword")};
        try {
            run_strategy(strategy, legs, 10);
            FAIL() << "answered";
        } catch (const Error& error) {
            EXPECT_EQ(error.happened(), "pgvector is away");
        }
    }
}

TEST(Strategy, RefusesALegAloneThatIsNotThere) {
    try {
        run_strategy(Strategy::chroma, {.pgvector = leg("ab", "pgvector")}, 10);
        FAIL() << "answered";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::config_invalid);
        EXPECT_THAT(error.remedy(), HasSubstr("CHROMA_PATH"));
    }
}

TEST(Strategy, TellsWhatEachLegGave) {
    const Legs legs{.pgvector = leg("a", "pgvector"), .chroma = leg("!", "chroma"), .keyword = leg("bcd", "keyword")};
    EXPECT_EQ(run_strategy(pgvector_primary, legs, 10).reason,
              "pgvector found 1 product; chroma failed: chroma is away");
}

TEST(Strategy, HybridKeepsTheHigherSimilarityOfAProductThatBothHave) {
    const std::vector<Hit> merged = merge_by_similarity(
        {{.id = "x", .similarity = 0.4}, {.id = "y", .similarity = 0.6}}, {{.id = "x", .similarity = 0.9}});
    ASSERT_EQ(ids(merged), "xy");
    EXPECT_EQ(merged.front().similarity, 0.9);
}

TEST(Fusion, PutsFirstWhatBothHave) {
    const std::vector<Hit> semantic{{.id = "a", .similarity = 0.8, .score = 0.8},
                                    {.id = "b", .similarity = 0.78, .score = 0.78}};
    const std::vector<Hit> words{{.id = "c", .score = 9}, {.id = "b", .score = 8}};
    EXPECT_EQ(ids(fuse(semantic, words, 0.5, 0.3)), "bac");
    EXPECT_EQ(ids(fuse(semantic, words, 0.5, 0.7)), "bca");
}

TEST(Fusion, LeansOnWordsForCodesAndNotForMeasures) {
    for (const char* code : {"NOT-0001", "asus G513RC", "7790001234567", "LC27G75TQSNXZA", "mouse g502x"})
        EXPECT_EQ(words_weight_of(code), words_weight_of("G513RC")) << code;
    for (const char* text : {"", "monitor 27 pulgadas 144hz", "memoria 16gb ddr", "ssd 1tb", "notebook gamer"})
        EXPECT_LT(words_weight_of(text), words_weight_of("G513RC")) << text;
}

}  // namespace
}  // namespace decant::search
