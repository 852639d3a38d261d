#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "chat/language.hpp"
#include "core/json.hpp"

namespace decant::chat::detail {

/// What was searched for last, without the prices and marks that stand beside it.
struct LastRequest {
    std::string text;         ///< empty: nothing was, only prices and marks
    std::string brand_words;  ///< those of `text` that name a brand
    std::optional<double> min_price = {};
    std::optional<double> max_price = {};
    bool in_stock = false;
    bool on_sale = false;
    bool featured = false;
    std::uint64_t offset = 0;  ///< products that were shown before
};

/// What a session remembers, as its row has it.
struct Memory {
    std::vector<std::string> shown;  ///< ids, as the last answer numbered them
    std::vector<std::string> focus;  ///< ids of what was talked about by itself last
    std::optional<LastRequest> request = {};
    std::optional<Language> language = {};
};

/// What does not fit is left out: the row may be of another version.
Memory memory_of(const json::object& state);
json::object state_of(const Memory& memory);

}  // namespace decant::chat::detail
