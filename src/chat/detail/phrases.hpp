#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace decant::chat::detail {

/// A message as its words in lower case without accents, for looking phrases up: " y mas barata ".
class Spoken {
public:
    explicit Spoken(std::string_view message);

    bool has(std::string_view phrase) const;
    /// One of a list with ", " between its phrases.
    bool has_any(std::string_view list) const;
    /// Takes all phrases of the list out, the longest first.
    void drop(std::string_view list);
    bool is_empty() const noexcept { return text_.size() <= 1; }
    std::vector<std::string_view> words() const;  ///< views into this
    const std::string& text() const noexcept { return text_; }

private:
    std::string text_;
};

/// What stands between ", ".
std::vector<std::string_view> items_of(std::string_view list);

}  // namespace decant::chat::detail
