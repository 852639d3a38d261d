#pragma once

#include <optional>
#include <string>

#include "chat/detail/answer_words.hpp"
#include "chat/detail/known_facts.hpp"

namespace decant::chat::detail {

/// "16gb", "144hz", "2x8gb", "1080p", "ip67": what a product has, not what it is called.
bool is_measure(std::string_view folded);

/// The first code of a model or an article ("RTX-4090X", "HR2470", a uuid) or number behind a product's word ("Galaxy
/// 24") that neither a product nor the question has.
std::optional<std::string> find_unknown_code(const Words& words, const KnownFacts& known);

}  // namespace decant::chat::detail
