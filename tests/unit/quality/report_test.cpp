#include "quality/report.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>
#include <set>

#include "quality/detail/bar_chart.hpp"

namespace decant::quality {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

constexpr const char* hostile = "<script>alert('x')</script>&\"\xff";

/// One query that found the wrong product, one with nothing to find that found it too; every text is hostile.
Evaluation make_evaluation() {
    const search::Hit wrong{
        .id = "id-b", .sku = hostile, .name = hostile, .brand = "", .category = "", .similarity = 0.5};
    JudgedQuery something{.query = {.id = hostile, .text = hostile, .kind = hostile},
                          .products = {{.docno = hostile, .product = {.id = "id-a", .name = hostile}, .grade = 3}}};
    JudgedQuery nothing{.query = {.id = "n", .text = "nada", .kind = "nothing"}, .products = {}};
    return evaluate(
        {.queries = {something, nothing}}, {.strategies = {"pgvector", hostile}},
        [&](std::size_t, const std::string&) { return Answered{.hits = {wrong}}; },
        [](std::size_t, std::size_t) { return true; });
}

std::string page() {
    static const std::string text = html_of(make_evaluation(), {{hostile, hostile}});
    return text;
}

TEST(Report, EscapesEveryTextThatComesFromOutside) {
    EXPECT_THAT(page(), Not(HasSubstr("<script")));
    EXPECT_THAT(page(), Not(HasSubstr("alert('x')")));
    EXPECT_THAT(page(), HasSubstr("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;&quot;\xEF\xBF\xBD"));
}

TEST(Report, LoadsNothingFromElsewhere) {
    EXPECT_THAT(page(), HasSubstr("default-src 'none'"));
    for (const char* reference : {"src=", "href=", "url(", "@import", "<link", "<iframe"})
        EXPECT_THAT(page(), Not(HasSubstr(reference)));
}

TEST(Report, ClosesWhatItOpens) {
    static const std::regex tag{R"(<(/?)([a-z0-9]+)[^>]*?(/?)>)"};
    static const std::set<std::string> empty{"meta"};
    const std::string text = page();
    std::vector<std::string> open;
    for (std::sregex_iterator at{text.begin(), text.end(), tag}, end; at != end; ++at) {
        const std::string name = (*at)[2];
        if ((*at)[3].length() > 0 || empty.contains(name)) continue;
        if ((*at)[1].length() == 0) {
            open.push_back(name);
            continue;
        }
        ASSERT_FALSE(open.empty()) << name;
        ASSERT_EQ(open.back(), name) << text.substr(0, static_cast<std::size_t>(at->position()));
        open.pop_back();
    }
    EXPECT_THAT(open, testing::IsEmpty());
}

TEST(Report, ListsTheWorstQueriesWithWhatWasFoundAndWhatWasJudged) {
    EXPECT_THAT(page(), HasSubstr("2 of 2 queries were not answered in the best way."));
    EXPECT_THAT(page(), HasSubstr("nothing to find, yet something was found"));
    EXPECT_THAT(page(), HasSubstr("not judged"));
    EXPECT_THAT(page(), HasSubstr("nDCG 0.000"));
}

TEST(Report, GivesAsJsonWhatTheTableShowsAndQueriesWhereTheyAreWanted) {
    const json::object brief = json_of(make_evaluation(), false);
    EXPECT_FALSE(brief.contains("per_query"));
    const json::object& first = brief.at("strategies").at("pgvector").as_object();
    for (const MetricRow& row : metric_rows({}))
        EXPECT_TRUE(first.contains(row.key)) << row.key;
    EXPECT_EQ(first.at("ndcg"), 0.0);
    EXPECT_EQ(first.at("rightly_empty"), 0.0);
    EXPECT_EQ(brief.at("strategies").at(hostile).at("against_first").at("p"), 1.0);
    const json::object whole = json_of(make_evaluation(), true);
    EXPECT_TRUE(whole.at("per_query").at(0).at("strategies").at("pgvector").at("hits").at(0).at("grade").is_null());
}

TEST(Report, TellsWhatCannotBeMeasured) {
    JudgedSet set{.queries = {{.query = {.id = "q1", .text = "a"}, .products = {}},
                              {.query = {.id = "q2", .text = "b"},
                               .products = {{.docno = "GONE", .product = {}, .grade = 3},
                                            {.docno = "OFF", .product = {.id = "x", .is_active = false}, .grade = 1}}}},
                  .judgments_of_other_queries = 4};
    EXPECT_THAT(remarks_of(set),
                testing::ElementsAre("Not judged, so in no metric that needs judgments: 1 of 2 queries (q1)",
                                     "Judged products that the catalog does not have, counted as not found: 1 (GONE)",
                                     "Judged products that are not active, counted as not found: 1 (OFF)",
                                     "Judgments of queries that the file does not have: 4"));
}

TEST(BarChart, DrawsEachBarAsLongAsItsValue) {
    const std::string svg = svg_of(
        {.title = "t", .series = {"a", "b"}, .groups = {{.label = "one", .values = {0.5, std::nullopt}}}, .most = 1});
    EXPECT_THAT(svg, HasSubstr("width=\"230.0\""));
    EXPECT_THAT(svg, HasSubstr(">0.500</text>"));
    EXPECT_THAT(svg, HasSubstr(">–</text>"));
}

TEST(BarChart, EndsItsAxisAtTheLargestValue) {
    const std::string svg =
        svg_of({.title = "t", .series = {"a"}, .groups = {{"one", {25}}, {"two", {50}}}, .most = {}, .decimals = 0});
    EXPECT_THAT(svg, HasSubstr("width=\"230.0\""));
    EXPECT_THAT(svg, HasSubstr("width=\"460.0\""));
}

}  // namespace
}  // namespace decant::quality
