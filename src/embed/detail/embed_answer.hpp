#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.hpp"

namespace decant::embed::detail {

/// The vectors that a server gave, as it gave them: what is no number in them is NaN.
struct EmbedAnswer {
    std::vector<std::vector<float>> vectors;
    std::size_t tokens = 0;  ///< of all texts together with their prefixes; 0: not told
};

/// None where `body` is no JSON of at most 32 levels.
std::optional<json::value> parse_body(std::string_view body);

/// Ollama's {"embeddings": [[...]], "prompt_eval_count": 9}; none where it has another form.
std::optional<EmbedAnswer> ollama_answer(const json::value& body);

/// OpenAI's {"data": [{"index": 0, "embedding": [...]}], "usage": {"prompt_tokens": 9}}, in the order of the indexes;
/// without indexes in the order of the list. All vectors are empty where two have the same index or one is beyond the
/// list: which text they are of is not known.
std::optional<EmbedAnswer> openai_answer(const json::value& body);

/// What an error says, in any of the forms {"error": "..."}, {"error": {"message": "..."}}, {"message": "..."} and
/// {"detail": "..."}; empty: none of them.
std::string error_text(const json::value& body);

/// The member of an object; null where there is none.
const json::value* member(const json::value& object, std::string_view name) noexcept;

/// 0 where it is no number from 0 on.
std::uint64_t count_of(const json::value* number) noexcept;
std::string text_of(const json::value* text);

}  // namespace decant::embed::detail
