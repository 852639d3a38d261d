#include "embed/detail/server_embedder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.hpp"

namespace decant::embed::detail {
namespace {

/// Few enough that most texts are cut right at first: a token of Spanish has three to four.
constexpr std::size_t bytes_a_token = 3;
constexpr int most_cuts = 10;

/// Servers before Ollama 0.3, and some models of others, give vectors of any length.
std::vector<float> of_length_one(std::vector<float> vector) {
    double squares = 0;
    for (const float value : vector)
        squares += static_cast<double>(value) * static_cast<double>(value);
    const double length = std::sqrt(squares);
    if (!std::isfinite(length) || length < 1e-6 || std::abs(length - 1) < 1e-5) return vector;
    for (float& value : vector)
        value = static_cast<float>(static_cast<double>(value) / length);
    return vector;
}

/// The start of `text`, of at most `bytes`: up to a blank in its second half, else to a character's end.
std::string_view head_of(std::string_view text, std::size_t bytes) {
    if (bytes >= text.size()) return text;
    const std::size_t blank = text.find_last_of(" \t\n", bytes);
    if (blank != std::string_view::npos && blank >= bytes / 2 && blank > 0) return text.substr(0, blank);
    while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xc0U) == 0x80U)
        --bytes;
    return text.substr(0, bytes);
}

}  // namespace

struct ServerEmbedder::Call {
    Role role;
    std::span<const std::string_view> texts;
    std::vector<TextVector> vectors;
};

ServerEmbedder::ServerEmbedder(Model model, Ask ask, Limits limits)
    : model_(std::move(model)), ask_(std::move(ask)), limits_(limits) {
    if (model_.dimension != 0) return;
    const std::string text = "dimension";
    if (const auto answer = this->ask({&text, 1})) model_.dimension = answer->vectors.front().size();
    if (model_.dimension != 0) return;
    throw Error{ErrorCode::config_invalid,
                fmt::format("The model '{}' of {} gives no vector", model_.name, model_.provider),
                "check that it is a model for embeddings"};
}

std::optional<EmbedAnswer> ServerEmbedder::ask(std::span<const std::string> texts) {
    std::optional<EmbedAnswer> answer = ask_(texts);
    // Told here because a missing vector of one request and one too many of the next would be as many as the texts.
    if (answer && answer->vectors.size() != texts.size()) {
        throw Error{ErrorCode::request_invalid,
                    fmt::format("the model gave {} vectors for {} text{}", answer->vectors.size(), texts.size(),
                                texts.size() == 1 ? "" : "s"),
                    "look at the server's log"};
    }
    return answer;
}

std::vector<TextVector> ServerEmbedder::embed(std::span<const std::string_view> texts, Role role) {
    Call call{.role = role, .texts = texts, .vectors = std::vector<TextVector>(texts.size())};
    std::vector<std::size_t> places(texts.size());
    std::iota(places.begin(), places.end(), std::size_t{0});
    std::ranges::sort(places, std::greater{},
                      [&](std::size_t place) { return std::pair{texts[place].size(), ~place}; });
    for (std::size_t begin = 0; begin < places.size();) {
        std::size_t end = begin;
        for (std::size_t bytes = 0; end < places.size() && end - begin < limits_.texts; ++end) {
            bytes += texts[places[end]].size();
            if (end > begin && bytes > limits_.bytes) break;
        }
        embed_places(call, std::span{places}.subspan(begin, end - begin));
        begin = end;
    }
    return std::move(call.vectors);
}

void ServerEmbedder::embed_places(Call& call, std::span<const std::size_t> places) {
    std::vector<std::string> inputs;
    for (const std::size_t place : places)
        inputs.push_back(fmt::format("{}{}", model_.prefix(call.role), call.texts[place]));
    if (auto answer = ask(inputs)) {
        for (std::size_t i = 0; i < places.size(); ++i)
            call.vectors[places[i]] = {.values = of_length_one(std::move(answer->vectors[i]))};
        return;
    }
    if (places.size() == 1) {
        call.vectors[places.front()] = embed_cut(call.texts[places.front()], call.role);
        return;
    }
    embed_places(call, places.first(places.size() / 2));
    embed_places(call, places.subspan(places.size() / 2));
}

TextVector ServerEmbedder::embed_cut(std::string_view text, Role role) {
    TextVector best;
    std::size_t fitting = 0;
    std::size_t failing = text.size();
    std::size_t bytes = std::min(model_.most_tokens * bytes_a_token, text.size() * 3 / 4);
    if (bytes == 0) bytes = text.size() / 2;
    for (int i = 0; i < most_cuts; ++i) {
        const std::string_view head = head_of(text, bytes);
        if (head.size() <= fitting) break;
        const std::string input = fmt::format("{}{}", model_.prefix(role), head);
        if (auto answer = ask({&input, 1})) {
            fitting = head.size();
            const std::size_t tokens = answer->tokens != 0 ? answer->tokens : input.size() / bytes_a_token + 1;
            best = {.values = of_length_one(std::move(answer->vectors.front())),
                    .cut_tokens = std::max<std::size_t>(1, (text.size() - fitting) * tokens / input.size())};
            if (model_.most_tokens != 0 && tokens * 10 >= model_.most_tokens * 9) break;
            bytes = fitting * model_.most_tokens * 97 / (tokens * 100);
        } else {
            failing = head.size();
        }
        if (failing - fitting <= failing / 10) break;
        if (bytes <= fitting || bytes >= failing) bytes = fitting + (failing - fitting) / 2;
    }
    if (fitting == 0) {
        throw Error{
            ErrorCode::too_large,
            fmt::format("the text of {} bytes is longer than the model takes, cut to {} too", text.size(), failing),
            "shorten it"};
    }
    return best;
}

}  // namespace decant::embed::detail
