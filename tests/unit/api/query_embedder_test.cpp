// The server's one model: what those who ask are told of its faults.

#include "api/query_embedder.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <latch>
#include <thread>

#include "core/error.hpp"
#include "tests/support/small_embedder.hpp"

namespace decant::api {
namespace {

using test::SmallEmbedder;

template <typename Call>
ErrorCode code_of(const Call& call) {
    try {
        call();
    } catch (const Error& error) {
        return error.code();
    }
    return ErrorCode::internal;
}

TEST(QueryEmbedder, IsAwayWhateverKeepsTheProviderFromAnswering) {
    for (const ErrorCode fault : {ErrorCode::not_found, ErrorCode::unauthenticated, ErrorCode::config_invalid}) {
        QueryEmbedder closed{[&]() -> std::unique_ptr<embed::Embedder> { throw Error{fault, "no key", ""}; }};
        EXPECT_EQ(code_of([&] { closed.require(); }), ErrorCode::embedder_unavailable);
        EXPECT_FALSE(closed.is_up());
        EXPECT_FALSE(closed.is_open());
        QueryEmbedder failing{[&] {
            auto model = std::make_unique<SmallEmbedder>();
            model->spoil = [&](SmallEmbedder::Texts, SmallEmbedder::Answer&) { throw Error{fault, "no key", ""}; };
            return model;
        }};
        const std::vector<std::string_view> text{"lijas"};
        EXPECT_EQ(code_of([&] { failing.embed(text, embed::Role::query); }), ErrorCode::embedder_unavailable);
        EXPECT_TRUE(failing.is_open());
        EXPECT_FALSE(failing.is_up());
    }
}

TEST(QueryEmbedder, BlamesATextForWhatIsWrongWithIt) {
    QueryEmbedder embedder{[] {
        auto model = std::make_unique<SmallEmbedder>();
        model->spoil = [](SmallEmbedder::Texts, SmallEmbedder::Answer&) {
            throw Error{ErrorCode::too_large, "too long", ""};
        };
        return model;
    }};
    const std::vector<std::string_view> text{"lijas"};
    EXPECT_EQ(code_of([&] { embedder.embed(text, embed::Role::query); }), ErrorCode::too_large);
    EXPECT_TRUE(embedder.is_up());
}

TEST(QueryEmbedder, KeepsNobodyWaitingForAProviderThatHangs) {
    std::latch begun{1};
    std::latch ended{1};
    const auto open = [&] {
        auto model = std::make_unique<SmallEmbedder>();
        model->spoil = [&](SmallEmbedder::Texts texts, SmallEmbedder::Answer&) {
            if (texts.front() != "slow") return;
            begun.count_down();
            ended.wait();
        };
        return model;
    };
    QueryEmbedder embedder{open, 4096, std::chrono::milliseconds{50}};
    const auto ask = [&](std::string_view text) { return embedder.embed(std::array{text}, embed::Role::query); };
    const auto vector = ask("lijas").front().values;
    const std::jthread hanging{[&] { ask("slow"); }};
    begun.wait();
    EXPECT_NO_THROW(embedder.require());
    EXPECT_EQ(ask("lijas").front().values, vector);
    EXPECT_EQ(code_of([&] { ask("clavos"); }), ErrorCode::embedder_unavailable);
    ended.count_down();
}

TEST(QueryEmbedder, AnswersAQuestionBeforeTheNextTurnOfABatch) {
    std::atomic<int> turns{0};
    std::latch begun{1};
    QueryEmbedder embedder{[&] {
        auto model = std::make_unique<SmallEmbedder>();
        model->spoil = [&](SmallEmbedder::Texts texts, SmallEmbedder::Answer&) {
            if (texts.front() != "much") return;
            if (++turns == 2) begun.count_down();
            std::this_thread::sleep_for(std::chrono::milliseconds{2});  // what a model takes
        };
        return model;
    }};
    const std::vector<std::string_view> batch(4'000, "much");
    const std::jthread embedding{[&] { embedder.embed(batch, embed::Role::passage); }};
    begun.wait();
    for (int question = 0; question < 5; ++question) {
        const std::string text = "question " + std::to_string(question);
        const int before = turns;
        embedder.embed(std::array<std::string_view, 1>{text}, embed::Role::query);
        EXPECT_LE(turns - before, 3);
    }
    EXPECT_LT(turns, 500) << "the batch was over, and nothing shown";
}

}  // namespace
}  // namespace decant::api
