#pragma once

#include <cmath>
#include <functional>

#include "core/sha256.hpp"
#include "embed/embedder.hpp"

namespace decant::test {

/// A model without weights: the vector of a text is made of its digest. What it answers can be spoilt by a test.
class SmallEmbedder final : public embed::Embedder {
public:
    using Answer = std::vector<embed::TextVector>;
    using Texts = std::span<const std::string_view>;

    const embed::Model& model() const noexcept override { return model_; }

    Answer embed(Texts texts, embed::Role role) override {
        ++calls;
        Answer answer;
        for (const std::string_view text : texts)
            answer.push_back(vector_of(std::string{model_.prefix(role)} + std::string{text}));
        if (spoil) spoil(texts, answer);
        return answer;
    }

    static embed::TextVector vector_of(const std::string& text) {
        embed::TextVector out;
        double squares = 0;
        const Digest digest = sha256(text);
        for (const std::byte byte : std::span{digest}.first<8>()) {
            out.values.push_back(static_cast<float>(std::to_integer<int>(byte)) - 127.5F);
            squares += static_cast<double>(out.values.back()) * static_cast<double>(out.values.back());
        }
        for (float& value : out.values)
            value = static_cast<float>(static_cast<double>(value) / std::sqrt(squares));
        return out;
    }

    std::function<void(Texts, Answer&)> spoil;  ///< may also throw
    int calls = 0;

private:
    embed::Model model_{.provider = "test",
                        .name = "small",
                        .weights = "none",
                        .dimension = 8,
                        .most_tokens = 64,
                        .passage_prefix = "passage: ",
                        .query_prefix = "query: "};
};

}  // namespace decant::test
