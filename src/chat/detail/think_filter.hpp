#pragma once

#include <string>
#include <string_view>

namespace decant::chat::detail {

/// Takes <think>…</think> blocks out of a text that comes in pieces, and blanks before its first word. A tag may be cut
/// anywhere. Of a block that does not end nothing is left, nor of what stands before an end without a beginning: some
/// servers keep the beginning to themselves.
class ThinkFilter {
public:
    /// What may be shown of the text so far and was not given yet.
    std::string take(std::string_view piece);
    /// What was held back because it could have been the beginning of a tag.
    std::string finish();

    /// True once: what was given so far was thought.
    bool drops_what_was_given() noexcept;

private:
    std::string shown(std::string text);

    std::string held_;
    bool is_thinking_ = false;
    bool is_begun_ = false;  ///< a word was given
    bool drops_ = false;
};

}  // namespace decant::chat::detail
