#include "embed/checked_embedder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "core/error.hpp"
#include "core/utf8.hpp"

namespace decant::embed {
namespace {

bool blames_a_text(ErrorCode code) {
    return code == ErrorCode::request_invalid || code == ErrorCode::too_large;
}

std::optional<std::string> text_fault(std::string_view text) {
    if (text.find_first_not_of(" \t\r\n\v\f") == std::string_view::npos) return "the text is empty";
    if (valid_utf8(text) != text) return "the text is no UTF-8";
    return std::nullopt;
}

std::optional<std::string> vector_fault(const std::vector<float>& values, std::size_t dimension) {
    if (values.size() != dimension)
        return fmt::format("its vector has {} dimensions, not {}", values.size(), dimension);
    double squares = 0;
    for (const float value : values) {
        if (!std::isfinite(value)) return "its vector holds a value that is not finite";
        squares += static_cast<double>(value) * static_cast<double>(value);
    }
    if (squares < 1e-12) return "its vector is zero";
    return std::nullopt;
}

}  // namespace

struct CheckedEmbedder::Call {
    Role role;
    std::vector<std::string_view> texts;  ///< those that are sent
    std::vector<std::size_t> places;      ///< of each in `outcomes`
    std::vector<Outcome> outcomes;
    bool is_first = true;

    std::span<const std::string_view> sent(std::size_t begin, std::size_t end) const {
        return std::span{texts}.subspan(begin, end - begin);
    }
};

namespace {

/// Why the answer to `texts` cannot be trusted, if it cannot.
std::optional<std::string> answer_fault(std::span<const std::string_view> texts, const std::vector<TextVector>& answer,
                                        std::size_t dimension) {
    if (answer.size() != texts.size()) {
        return fmt::format("the model gave {} vectors for {} text{}", answer.size(), texts.size(),
                           texts.size() == 1 ? "" : "s");
    }
    std::map<std::span<const float>, std::string_view, decltype([](std::span<const float> a, std::span<const float> b) {
                 return std::ranges::lexicographical_compare(a, b);
             })>
        seen;
    for (std::size_t i = 0; i < texts.size(); ++i) {
        if (auto fault = vector_fault(answer[i].values, dimension)) return fault;
        const auto [earlier, is_new] = seen.emplace(answer[i].values, texts[i]);
        if (!is_new && earlier->second != texts[i]) return "two texts have the same vector";
    }
    return std::nullopt;
}

void refuse_other_dimension(const Model& model, const std::vector<TextVector>& answer) {
    if (answer.empty()) return;
    const std::size_t found = answer.front().values.size();
    if (found == 0 || found == model.dimension) return;
    if (!std::ranges::all_of(answer, [&](const TextVector& one) { return one.values.size() == found; })) return;
    throw Error{ErrorCode::dimension_mismatch,
                fmt::format("Embedding dimension mismatch: model '{}' of {} gives {}-d vectors, not {}-d", model.name,
                            model.provider, found, model.dimension),
                "check that this is the model that was meant; its dimension is a setting of the provider"};
}

}  // namespace

std::vector<Outcome> CheckedEmbedder::embed(std::span<const std::string_view> texts, Role role) {
    Call call{.role = role, .texts = {}, .places = {}, .outcomes = std::vector<Outcome>(texts.size())};
    for (std::size_t i = 0; i < texts.size(); ++i) {
        if (auto fault = text_fault(texts[i])) {
            call.outcomes[i] = TextFault{std::move(*fault)};
        } else {
            call.texts.push_back(texts[i]);
            call.places.push_back(i);
        }
    }
    if (!call.texts.empty()) embed_range(call, 0, call.texts.size());
    return std::move(call.outcomes);
}

void CheckedEmbedder::embed_range(Call& call, std::size_t begin, std::size_t end) {
    std::optional<std::string> fault;
    try {
        std::vector<TextVector> answer = inner_.embed(call.sent(begin, end), call.role);
        if (std::exchange(call.is_first, false)) refuse_other_dimension(model(), answer);
        fault = answer_fault(call.sent(begin, end), answer, model().dimension);
        if (!fault) {
            for (std::size_t i = begin; i < end; ++i)
                call.outcomes[call.places[i]] = std::move(answer[i - begin]);
            return;
        }
    } catch (const Error& error) {
        if (!blames_a_text(error.code())) throw;
        call.is_first = false;
        fault = error.happened();
    }
    if (end - begin == 1) {
        call.outcomes[call.places[begin]] = TextFault{std::move(*fault)};
        return;
    }
    const std::size_t middle = begin + (end - begin) / 2;
    embed_range(call, begin, middle);
    embed_range(call, middle, end);
}

}  // namespace decant::embed
