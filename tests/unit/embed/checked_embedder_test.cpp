#include "embed/checked_embedder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "core/error.hpp"
#include "tests/support/small_embedder.hpp"

namespace decant::embed {
namespace {

using test::SmallEmbedder;
using Texts = SmallEmbedder::Texts;
using Answer = SmallEmbedder::Answer;

constexpr std::size_t many = 40;

class CheckedEmbedderTest : public testing::Test {
protected:
    CheckedEmbedderTest() {
        for (std::size_t i = 0; i < many; ++i)
            owned_.push_back("producto " + std::to_string(i));
        texts_.assign(owned_.begin(), owned_.end());
    }

    std::vector<Outcome> embed() { return CheckedEmbedder{model_}.embed(texts_, Role::passage); }

    /// Applies `harm` to the vector of the text at `place`, whichever batch it comes in.
    void spoil_one(std::size_t place, std::function<void(TextVector&)> harm) {
        model_.spoil = [=, bad = owned_[place]](Texts texts, Answer& answer) {
            for (std::size_t i = 0; i < texts.size(); ++i) {
                if (texts[i] == bad) harm(answer[i]);
            }
        };
    }

    void expect_only_bad(const std::vector<Outcome>& outcomes, std::size_t place, const std::string& reason) {
        ASSERT_EQ(outcomes.size(), texts_.size());
        for (std::size_t i = 0; i < outcomes.size(); ++i) {
            if (i == place) {
                ASSERT_TRUE(std::holds_alternative<TextFault>(outcomes[i]));
                EXPECT_EQ(std::get<TextFault>(outcomes[i]).reason, reason);
            } else {
                ASSERT_TRUE(std::holds_alternative<TextVector>(outcomes[i])) << i;
                EXPECT_EQ(std::get<TextVector>(outcomes[i]).values,
                          SmallEmbedder::vector_of("passage: " + owned_[i]).values);
            }
        }
    }

    SmallEmbedder model_;
    std::vector<std::string> owned_;
    std::vector<std::string_view> texts_;
};

TEST_F(CheckedEmbedderTest, GivesEveryTextItsVectorInOneCall) {
    expect_only_bad(embed(), many, "");
    EXPECT_EQ(model_.calls, 1);
}

TEST_F(CheckedEmbedderTest, BlamesOneTextForAWrongDimension) {
    spoil_one(17, [](TextVector& vector) { vector.values.pop_back(); });
    expect_only_bad(embed(), 17, "its vector has 7 dimensions, not 8");
    EXPECT_LE(model_.calls, 13);
}

TEST_F(CheckedEmbedderTest, BlamesOneTextForValuesThatAreNotFinite) {
    for (const float value : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
        spoil_one(0, [value](TextVector& vector) { vector.values[3] = value; });
        expect_only_bad(embed(), 0, "its vector holds a value that is not finite");
    }
}

TEST_F(CheckedEmbedderTest, BlamesOneTextForAZeroVector) {
    spoil_one(many - 1, [](TextVector& vector) { std::ranges::fill(vector.values, 0.0F); });
    expect_only_bad(embed(), many - 1, "its vector is zero");
}

TEST_F(CheckedEmbedderTest, BlamesOneTextThatTheProviderRefuses) {
    model_.spoil = [bad = owned_[5]](Texts texts, Answer&) {
        if (std::ranges::find(texts, bad) != texts.end()) throw Error{ErrorCode::too_large, "too long", "cut it"};
    };
    expect_only_bad(embed(), 5, "too long");
}

TEST_F(CheckedEmbedderTest, AsksAgainByHalvesWhenVectorsAreMissingOrTooMany) {
    model_.spoil = [](Texts texts, Answer& answer) {
        if (texts.size() > 10) answer.pop_back();
        if (texts.size() > 5 && texts.size() <= 10) answer.push_back(answer.front());
    };
    expect_only_bad(embed(), many, "");
}

TEST_F(CheckedEmbedderTest, DoesNotTrustAnAnswerWhereTwoTextsShareAVector) {
    model_.spoil = [](Texts, Answer& answer) { answer.back() = answer.front(); };
    expect_only_bad(embed(), many, "");
}

TEST_F(CheckedEmbedderTest, AcceptsTheSameTextTwice) {
    owned_.assign(many, "igual");
    texts_.assign(owned_.begin(), owned_.end());
    expect_only_bad(embed(), many, "");
    EXPECT_EQ(model_.calls, 1);
}

TEST_F(CheckedEmbedderTest, CannotSeeThatTheOrderIsWrong) {
    model_.spoil = [](Texts, Answer& answer) { std::ranges::reverse(answer); };
    EXPECT_EQ(std::get<TextVector>(embed().front()).values,
              SmallEmbedder::vector_of("passage: " + owned_.back()).values);
}

TEST_F(CheckedEmbedderTest, NeverSendsATextThatIsBlankOrNoUtf8) {
    texts_ = {" \n", "\xFF"};
    const std::vector<Outcome> outcomes = embed();
    EXPECT_EQ(std::get<TextFault>(outcomes[0]).reason, "the text is empty");
    EXPECT_EQ(std::get<TextFault>(outcomes[1]).reason, "the text is no UTF-8");
    EXPECT_EQ(model_.calls, 0);
}

TEST_F(CheckedEmbedderTest, StopsAtOnceWhenTheModelHasAnotherDimension) {
    model_.spoil = [](Texts, Answer& answer) {
        for (TextVector& vector : answer)
            vector.values.resize(4, 1.0F);
    };
    try {
        embed();
        FAIL() << "no error";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::dimension_mismatch);
        EXPECT_EQ(error.happened(), "Embedding dimension mismatch: model 'small' of test gives 4-d vectors, not 8-d");
    }
    EXPECT_EQ(model_.calls, 1);
}

TEST_F(CheckedEmbedderTest, BlamesNoTextForAnOutage) {
    model_.spoil = [](Texts, Answer&) { throw Error{ErrorCode::embedder_unavailable, "away", "start it"}; };
    EXPECT_THROW(embed(), Error);
    EXPECT_EQ(model_.calls, 1);
}

}  // namespace
}  // namespace decant::embed
