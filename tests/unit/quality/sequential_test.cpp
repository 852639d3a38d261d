// Comparisons that are looked at while they run: no false alarms beyond 5 %, and differences found as predicted.

#include "quality/sequential.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <random>
#include <vector>

namespace decant::quality {
namespace {

/// Welford's running moments.
class Sample {
public:
    void add(double value) {
        ++moments_.units;
        const double step = value - moments_.mean;
        moments_.mean += step / static_cast<double>(moments_.units);
        squares_ += step * (value - moments_.mean);
        if (moments_.units > 1) moments_.variance = squares_ / static_cast<double>(moments_.units - 1);
    }
    const Moments& moments() const { return moments_; }

private:
    Moments moments_;
    double squares_ = 0;
};

using Draw = std::function<double(std::mt19937_64&)>;

struct Arms {
    Draw a;
    Draw b;
    std::uint64_t units = 0;  ///< of each
    std::uint64_t look = 25;  ///< after so many units of each
    double level = alpha;
};

/// Whether p was ever its level or less.
bool is_alarm(const Arms& arms, std::mt19937_64& random) {
    Sample a;
    Sample b;
    for (std::uint64_t unit = 1; unit <= arms.units; ++unit) {
        a.add(arms.a(random));
        b.add(arms.b(random));
        if (unit % arms.look == 0 && estimate_difference(a.moments(), b.moments()).p <= arms.level) return true;
    }
    return false;
}

int alarms_in(int experiments, const Arms& arms, std::uint64_t seed) {
    std::mt19937_64 random{seed};
    int alarms = 0;
    for (int i = 0; i < experiments; ++i)
        alarms += is_alarm(arms, random) ? 1 : 0;
    return alarms;
}

Draw normal(double mean, double deviation) {
    return [=](std::mt19937_64& random) { return std::normal_distribution{mean, deviation}(random); };
}

Draw coin(double share) {
    return [=](std::mt19937_64& random) { return std::bernoulli_distribution{share}(random) ? 1.0 : 0.0; };
}

TEST(Sequential, RaisesAtMostFivePercentFalseAlarmsInAThousandExperimentsThatArePeekedAt) {
    const Arms latencies{.a = normal(100, 40), .b = normal(100, 40), .units = 3'000};
    EXPECT_LE(alarms_in(1'000, latencies, 1), 50);
}

TEST(Sequential, RaisesNoMoreOfThemWhereValuesAreRareOrSkewed) {
    const Draw skewed = [](std::mt19937_64& random) { return std::lognormal_distribution{3.0, 1.0}(random); };
    EXPECT_LE(alarms_in(1'000, {.a = coin(0.1), .b = coin(0.1), .units = 2'000}, 2), 50);
    EXPECT_LE(alarms_in(1'000, {.a = skewed, .b = skewed, .units = 2'000}, 3), 50);
}

TEST(Sequential, RaisesNoMoreOfThemWhereUnitsComeBackAndDifferFromEachOther) {
    struct User {
        double level = 0;
        double sum = 0;
        double requests = 0;
    };
    std::mt19937_64 random{9};
    const Draw level = normal(0, 1);
    const Draw noise = normal(0, 2);
    const auto grow = [&](std::vector<User>& users) {
        if (users.empty() || random() % 8 == 0) users.push_back({.level = level(random)});
        User& user = random() % 4 == 0 ? users.back() : users[random() % users.size()];
        user.sum += user.level + noise(random);
        user.requests += 1;
    };
    const auto moments_of = [](const std::vector<User>& users) {
        Sample sample;
        for (const User& user : users)
            if (user.requests > 0) sample.add(user.sum / user.requests);
        return sample.moments();
    };
    int alarms = 0;
    for (int i = 0; i < 500; ++i) {
        std::vector<User> a;
        std::vector<User> b;
        bool is_alarm = false;
        for (int request = 1; request <= 5'000 && !is_alarm; ++request) {
            grow(a);
            grow(b);
            if (request % 100 == 0) is_alarm = estimate_difference(moments_of(a), moments_of(b)).p <= alpha;
        }
        alarms += is_alarm ? 1 : 0;
    }
    EXPECT_LE(alarms, 25);
}

TEST(Sequential, FindsAPlantedDifferenceOfFivePercentWithThePredictedSample) {
    const std::uint64_t units = units_needed(40, 5).value();
    const Arms arms{.a = normal(100, 40), .b = normal(105, 40), .units = units};
    const int found = alarms_in(500, arms, 4);
    EXPECT_GE(found, 390) << "80 % are promised, 400 of 500; " << units << " units an arm";
    EXPECT_LT(alarms_in(500, {.a = arms.a, .b = arms.b, .units = units / 4}, 5), 250) << "and it is not found anyway";
}

TEST(Sequential, FindsItWithThePredictedSampleAtAStricterLevelToo) {
    constexpr double level = alpha / 5;  // of six arms
    const std::uint64_t units = units_needed(40, 5, level).value();
    Arms arms{.a = normal(100, 40), .b = normal(105, 40), .units = units, .level = level};
    EXPECT_GE(alarms_in(500, arms, 7), 390) << units;
    arms.units = units_needed(40, 5).value();
    EXPECT_LT(alarms_in(500, arms, 7), 390) << "that of two arms does not do";
}

TEST(Sequential, FindsItInSharesToo) {
    const double deviation = std::sqrt(0.4 * 0.6);
    const std::uint64_t units = units_needed(deviation, 0.4 * 0.05).value();
    EXPECT_GE(alarms_in(200, {.a = coin(0.4), .b = coin(0.42), .units = units, .look = 100}, 6), 155) << units;
}

TEST(Sequential, NeedsLessThanThreeTimesTheSampleOfATestThatIsLookedAtOnce) {
    const double once = 2 * std::pow(1.96 + 0.8416, 2) / (0.1 * 0.1);
    const auto units = static_cast<double>(units_needed(1, 0.1).value());
    EXPECT_GT(units, once);
    EXPECT_LT(units, 3 * once);
    EXPECT_EQ(units_needed(0, 1), std::nullopt);
    EXPECT_EQ(units_needed(1, 0), std::nullopt);
    EXPECT_EQ(units_needed(1, 1e-9), std::nullopt) << "no traffic would do";
}

TEST(Sequential, SaysNothingBeforeAHundredUnitsOfEachArm) {
    const Estimate early = estimate_difference({.units = 99, .mean = 1, .variance = 0.1}, {.units = 500, .mean = 9});
    EXPECT_EQ(early.value, 8);
    EXPECT_EQ(early.p, 1);
    EXPECT_FALSE(early.interval);
    EXPECT_FALSE(estimate_mean({.units = 99, .mean = 1, .variance = 0.1}).interval);
}

TEST(Sequential, HasItsIntervalEndWherePIsFivePercent) {
    const Moments a{.units = 400, .mean = 10, .variance = 4};
    const Moments b{.units = 900, .mean = 10.4, .variance = 9};
    const Estimate found = estimate_difference(a, b);
    ASSERT_TRUE(found.interval);
    EXPECT_NEAR(estimate_difference(a, {.units = 900, .mean = 10.4 - found.interval->low, .variance = 9}).p, 0.05,
                1e-9);
    EXPECT_NEAR(estimate_difference(b, a).value, -found.value, 1e-12);
    EXPECT_EQ(estimate_difference(b, a).p, found.p);
}

TEST(Sequential, TakesArmsThatDoNotVaryForWhatTheyAre) {
    const Moments ten{.units = 200, .mean = 10, .variance = 0};
    EXPECT_EQ(estimate_difference(ten, ten).p, 1);
    EXPECT_EQ(estimate_difference(ten, ten).interval->low, 0);
    EXPECT_EQ(estimate_difference(ten, {.units = 200, .mean = 0, .variance = 0}).p, 0);
}

TEST(Sequential, KeepsTheMeanInItsIntervalAtEveryLook) {
    std::mt19937_64 random{7};
    int missed = 0;
    for (int i = 0; i < 500; ++i) {
        Sample sample;
        bool is_missed = false;
        for (int unit = 1; unit <= 2'000; ++unit) {
            sample.add(std::normal_distribution{5.0, 2.0}(random));
            if (unit % 20 != 0 || unit < 100) continue;
            const Interval interval = *estimate_mean(sample.moments()).interval;
            is_missed = is_missed || interval.low > 5 || interval.high < 5;
        }
        missed += is_missed ? 1 : 0;
    }
    EXPECT_LE(missed, 25);
}

TEST(Sequential, JudgesAFewTossesExactly) {
    // The uniform mixture of ten heads in ten: 2^10 / 11.
    EXPECT_NEAR(estimate_share(10, 10).p, 11.0 / 1024, 1e-12);
    EXPECT_EQ(estimate_share(5, 10).p, 1);
    EXPECT_EQ(estimate_share(0, 0).p, 1);
    const Estimate share = estimate_share(30, 40);
    EXPECT_EQ(share.value, 0.75);
    EXPECT_NEAR(share_p(30, 40, share.interval->low), 0.05, 1e-6);
    EXPECT_NEAR(share_p(30, 40, share.interval->high), 0.05, 1e-6);
}

TEST(Sequential, RaisesAtMostFivePercentFalseAlarmsOverTosses) {
    std::mt19937_64 random{8};
    int alarms = 0;
    for (int i = 0; i < 1'000; ++i) {
        std::uint64_t heads = 0;
        bool is_alarm = false;
        for (std::uint64_t tosses = 1; tosses <= 1'000 && !is_alarm; ++tosses) {
            heads += random() & 1U;
            is_alarm = share_p(heads, tosses, 0.5) <= alpha;
        }
        alarms += is_alarm ? 1 : 0;
    }
    EXPECT_LE(alarms, 50);
}

}  // namespace
}  // namespace decant::quality
