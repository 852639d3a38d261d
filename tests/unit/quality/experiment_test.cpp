// Which arm a unit has, answers of two arms in one, and what a report makes of an experiment's figures.

#include "quality/experiment.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "core/error.hpp"
#include "quality/experiment_report.hpp"

namespace decant::quality {
namespace {

using store::Arm;
using store::ArmFigure;
using store::Experiment;
using testing::ElementsAre;
using testing::HasSubstr;

const std::vector<Arm> halves{{.strategy = "pgvector_primary", .weight = 50}, {.strategy = "fusion", .weight = 50}};

TEST(Arms, AreReadWithTheirShares) {
    const std::vector<Arm> arms = parse_arms("pgvector_primary:80, fusion:20");
    ASSERT_EQ(arms.size(), 2U);
    EXPECT_EQ(arms[0].strategy, "pgvector_primary");
    EXPECT_EQ(arms[0].weight, 80);
    EXPECT_EQ(arms[1].weight, 20);
    EXPECT_EQ(parse_arms("keyword,fusion,hybrid")[2].weight, 1);
}

TEST(Arms, AreRefusedWithTheReason) {
    for (const auto& [text, reason] :
         std::vector<std::pair<std::string, std::string>>{{"fusion", "two arms at least"},
                                                          {"fusion:50,fusion:50", "fusion stands twice"},
                                                          {"fusion:50,magic:50", "no search strategy 'magic'"},
                                                          {"fusion:0,keyword", "'0' is no share"},
                                                          {"fusion:1001,keyword", "no share from 1 to 1000"},
                                                          {"fusion:5x,keyword", "'5x' is no share"},
                                                          {"fusion:,keyword", "'' is no share"}}) {
        try {
            parse_arms(text);
            ADD_FAILURE() << text;
        } catch (const Error& error) {
            EXPECT_THAT(error.happened(), HasSubstr(reason)) << text;
        }
    }
}

TEST(Assignment, IsTheSameForOneUnitEveryTime) {
    for (int user = 0; user < 100; ++user) {
        const std::string digest = unit_digest("summer", fmt::format("user-{}", user));
        EXPECT_EQ(digest.size(), 32U);
        EXPECT_EQ(arm_of(halves, digest), arm_of(halves, unit_digest("summer", fmt::format("user-{}", user))));
    }
}

TEST(Assignment, DividesUnitsAsTheSharesSay) {
    const std::vector<Arm> arms{{"pgvector_primary", 70}, {"fusion", 20}, {"keyword", 10}};
    std::vector<int> counts(3);
    for (int user = 0; user < 20'000; ++user)
        ++counts[arm_of(arms, unit_digest("x", std::to_string(user)))];
    // Within four standard deviations of the binomial.
    EXPECT_NEAR(counts[0], 14'000, 260);
    EXPECT_NEAR(counts[1], 4'000, 227);
    EXPECT_NEAR(counts[2], 2'000, 170);
}

TEST(Assignment, SaysNothingOfAnotherExperiment) {
    int both = 0;
    for (int user = 0; user < 4'000; ++user) {
        const std::string name = std::to_string(user);
        both += arm_of(halves, unit_digest("one", name)) == arm_of(halves, unit_digest("two", name)) ? 1 : 0;
    }
    EXPECT_NEAR(both, 2'000, 127);
}

std::vector<search::Hit> hits(const std::vector<std::string>& ids) {
    std::vector<search::Hit> out;
    for (const std::string& id : ids)
        out.push_back({.id = id});
    return out;
}

std::vector<std::string> ids_of(const std::vector<search::Hit>& found) {
    std::vector<std::string> ids;
    for (const search::Hit& hit : found)
        ids.push_back(hit.id);
    return ids;
}

TEST(Interleaving, LetsTheArmsChooseInTurnsEachItsBest) {
    for (std::uint64_t toss = 0; toss < 50; ++toss) {
        const Interleaved both = interleave(hits({"a", "b", "c", "d"}), hits({"b", "e", "a", "f"}), 6, toss);
        EXPECT_EQ(both.first.size(), 3U);
        EXPECT_EQ(both.second.size(), 3U);
        const std::vector<std::string> ids = ids_of(both.hits);
        EXPECT_EQ(std::set(ids.begin(), ids.end()).size(), 6U) << "no product twice";
        EXPECT_TRUE(both.hits[0].id == "a" || both.hits[0].id == "b");
    }
}

TEST(Interleaving, IsFairAndTheSameForTheSameToss) {
    int first_begins = 0;
    for (std::uint64_t toss = 0; toss < 1'000; ++toss) {
        const Interleaved both = interleave(hits({"a"}), hits({"b"}), 2, toss);
        EXPECT_EQ(ids_of(both.hits), ids_of(interleave(hits({"a"}), hits({"b"}), 2, toss).hits));
        first_begins += both.hits[0].id == "a" ? 1 : 0;
    }
    EXPECT_NEAR(first_begins, 500, 64);
}

TEST(Interleaving, TakesFromOneArmWhatTheOtherHasNot) {
    EXPECT_THAT(ids_of(interleave(hits({}), hits({"a", "b"}), 5, 1).hits), ElementsAre("a", "b"));
    EXPECT_THAT(interleave(hits({"a", "b"}), hits({"a"}), 2, 1).hits.size(), 2U);
    EXPECT_TRUE(interleave(hits({}), hits({}), 5, 1).hits.empty());
    EXPECT_EQ(interleave(hits({"a", "b", "c"}), hits({"d", "e", "f"}), 2, 1).hits.size(), 2U);
}

TEST(Interleaving, GivesBothArmsAnEqualChanceWhereTheyAgree) {
    int first = 0;
    for (int user = 0; user < 1'000; ++user) {
        const std::uint64_t toss = toss_of(unit_digest("x", std::to_string(user)), "notebook");
        const Interleaved both = interleave(hits({"a", "b"}), hits({"a", "b"}), 2, toss);
        first += both.first.at(0) == "a" ? 1 : 0;
    }
    EXPECT_NEAR(first, 500, 64) << "who chooses the top product prefers no arm";
}

ReportInput input_of(std::vector<ArmFigure> figures, Experiment::Mode mode = Experiment::Mode::split) {
    return {.experiment = {.name = "summer", .arms = halves, .mode = mode, .metric = "chosen"},
            .traffic = {{"pgvector_primary", 1'000, 3'000}, {"fusion", 1'020, 3'100}},
            .figures = std::move(figures)};
}

TEST(ExperimentReport, CallsAnArmBetterOnlyByTheMetricThatDecides) {
    const ExperimentReport report = make_report(input_of({{"pgvector_primary", "chosen", 1'000, 0.3, 0.2},
                                                          {"fusion", "chosen", 1'000, 0.45, 0.2},
                                                          {"pgvector_primary", "latency", 1'000, 20, 100},
                                                          {"fusion", "latency", 1'000, 40, 100}}));
    EXPECT_EQ(report.verdicts[0], Verdict::undecided) << "the first is what the others are compared with";
    EXPECT_EQ(report.verdicts[1], Verdict::better);
    EXPECT_EQ(conclusion_of(report), "fusion is better than pgvector_primary by chosen.");
    ASSERT_EQ(report.arms[1].measures.size(), 2U);
    EXPECT_NEAR(report.arms[1].measures[0].difference->value, 0.15, 1e-12);
    EXPECT_FALSE(report.arms[0].measures[0].difference);
    EXPECT_LT(report.arms[1].measures[1].difference->p, 0.001) << "and the others are shown";
}

TEST(ExperimentReport, KnowsOfWhichMetricsLessIsBetter) {
    ReportInput input =
        input_of({{"pgvector_primary", "latency", 1'000, 20, 100}, {"fusion", "latency", 1'000, 40, 100}});
    input.experiment.metric = "latency";
    EXPECT_EQ(make_report(std::move(input)).verdicts[1], Verdict::worse);
}

TEST(ExperimentReport, TellsHowManyUnitsAreMissing) {
    const ExperimentReport report = make_report(
        input_of({{"pgvector_primary", "chosen", 1'000, 0.3, 0.09}, {"fusion", "chosen", 1'000, 0.3, 0.09}}));
    EXPECT_EQ(report.units_needed, units_needed(0.3, 0.015));
    EXPECT_THAT(conclusion_of(report), HasSubstr("1,000 units of about "));
    EXPECT_THAT(text_of(report), HasSubstr("summer: pgvector_primary 50, fusion 50 (split by user)"));
}

TEST(ExperimentReport, CountsOnlyUnitsThatTheDecidingMetricIsKnownOf) {
    ReportInput input =
        input_of({{"pgvector_primary", "feedback", 410, 0.7, 0.1}, {"fusion", "feedback", 400, 0.7, 0.1}});
    input.experiment.metric = "feedback";
    EXPECT_THAT(conclusion_of(make_report(input)), HasSubstr("400 units of about "));
    input.figures.pop_back();
    EXPECT_THAT(conclusion_of(make_report(input)), HasSubstr(": 0 units of about ")) << "nobody rated the other arm";
}

TEST(ExperimentReport, CountsUnitsOfWhichAShadowWasCompared) {
    ReportInput input = input_of({{"fusion", "similarity", 300, 0.001, 1}}, Experiment::Mode::shadow);
    input.experiment.metric = "similarity";
    EXPECT_EQ(conclusion_of(make_report(input)), "No difference is found yet: 300 units an arm.");
}

TEST(ExperimentReport, IsCautiousWithManyArms) {
    ReportInput input = input_of({{"pgvector_primary", "chosen", 1'000, 0.3, 0.2},
                                  {"fusion", "chosen", 1'000, 0.3, 0.2},
                                  {"keyword", "chosen", 1'000, 0.3, 0.2}});
    input.figures[1].mean = 0.366;
    const double p = make_report(input).arms[1].measures[0].difference->p;
    ASSERT_LT(p, alpha);
    ASSERT_GT(p, alpha / 2);
    EXPECT_EQ(make_report(input).verdicts[1], Verdict::better);
    input.experiment.arms.push_back({.strategy = "keyword", .weight = 50});
    input.traffic.push_back({"keyword", 1'000, 1'000});
    EXPECT_EQ(make_report(input).verdicts[1], Verdict::undecided);
}

TEST(ExperimentReport, NeedsMoreUnitsWithMoreArmsAsItsVerdictsDo) {
    const auto needed = [](int arms) {
        ReportInput input = input_of({{"pgvector_primary", "chosen", 1'000, 1, 1}, {"fusion", "chosen", 1'000, 1, 1}});
        for (int arm = 2; arm < arms; ++arm) {
            input.experiment.arms.push_back({.strategy = fmt::format("arm {}", arm), .weight = 50});
            input.traffic.push_back({fmt::format("arm {}", arm), 1'000, 1'000});
        }
        return make_report(std::move(input)).units_needed;
    };
    EXPECT_EQ(needed(2), units_needed(1, 0.05));
    EXPECT_EQ(needed(3), units_needed(1, 0.05, alpha / 2));
    EXPECT_GT(needed(3), needed(2));
}

TEST(ExperimentReport, WarnsWhereTheSplitIsNotTheOneThatWasAskedFor) {
    ReportInput input = input_of({});
    EXPECT_FALSE(make_report(input).is_split_wrong);
    input.traffic[1].units = 1'400;
    const ExperimentReport report = make_report(input);
    EXPECT_TRUE(report.is_split_wrong);
    EXPECT_THAT(conclusion_of(report), HasSubstr("do not trust"));
}

TEST(ExperimentReport, CountsWhoseProductsWereChosenOfInterleavedAnswers) {
    ReportInput input = input_of({}, Experiment::Mode::interleave);
    input.choices = store::Choices{.arm = "fusion", .wins = 30, .losses = 8, .ties = 4};
    const ExperimentReport report = make_report(input);
    EXPECT_EQ(report.verdicts[1], Verdict::better);
    EXPECT_NEAR(report.preference.value, 30.0 / 38, 1e-12);
    input.choices = store::Choices{.arm = "fusion", .wins = 8, .losses = 30};
    EXPECT_EQ(make_report(input).verdicts[1], Verdict::worse);
    input.choices = store::Choices{.arm = "fusion", .wins = 5, .losses = 6, .ties = 1};
    EXPECT_EQ(conclusion_of(make_report(input)), "No arm is preferred yet: 12 units chose products.");
}

TEST(ExperimentReport, TakesShadowFiguresForDifferences) {
    ReportInput input = input_of({{"fusion", "similarity", 500, -0.05, 0.01}, {"fusion", "overlap", 500, 0.6, 0.01}},
                                 Experiment::Mode::shadow);
    input.experiment.metric = "similarity";
    const ExperimentReport report = make_report(std::move(input));
    EXPECT_EQ(report.verdicts[1], Verdict::worse);
    EXPECT_FALSE(report.arms[1].measures[0].mean);
    EXPECT_EQ(report.arms[1].measures[1].mean->value, 0.6);
    EXPECT_EQ(json_of(report).at("arms").at(1).at("is_shadow"), json::value(true));
}

}  // namespace
}  // namespace decant::quality
