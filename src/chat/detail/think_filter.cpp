#include "chat/detail/think_filter.hpp"

#include <algorithm>
#include <utility>

namespace decant::chat::detail {
namespace {

constexpr std::string_view begin_tag = "<think>";
constexpr std::string_view end_tag = "</think>";

/// Bytes at the end of `text` that `tag` could start with.
std::size_t begun(std::string_view text, std::string_view tag) {
    for (std::size_t length = std::min(text.size(), tag.size() - 1); length > 0; --length) {
        if (text.ends_with(tag.substr(0, length))) return length;
    }
    return 0;
}

}  // namespace

std::string ThinkFilter::take(std::string_view piece) {
    held_ += piece;
    std::string text;
    for (;;) {
        const std::size_t end = held_.find(end_tag);
        const std::size_t begin = is_thinking_ ? std::string::npos : held_.find(begin_tag);
        if (begin < end) {
            text += held_.substr(0, begin);
            held_.erase(0, begin + begin_tag.size());
            is_thinking_ = true;
        } else if (end != std::string::npos) {
            if (!is_thinking_) {
                text.clear();
                drops_ = true;
                is_begun_ = false;
            }
            held_.erase(0, end + end_tag.size());
            is_thinking_ = false;
        } else {
            break;
        }
    }
    const std::size_t kept = std::max(begun(held_, end_tag), is_thinking_ ? 0 : begun(held_, begin_tag));
    if (!is_thinking_) text += held_.substr(0, held_.size() - kept);
    held_.erase(0, held_.size() - kept);
    return shown(std::move(text));
}

std::string ThinkFilter::finish() {
    std::string rest = std::exchange(held_, {});
    return is_thinking_ ? std::string{} : shown(std::move(rest));
}

bool ThinkFilter::drops_what_was_given() noexcept {
    return std::exchange(drops_, false);
}

std::string ThinkFilter::shown(std::string text) {
    if (!is_begun_) text.erase(0, std::min(text.find_first_not_of(" \t\r\n"), text.size()));
    is_begun_ = is_begun_ || !text.empty();
    return text;
}

}  // namespace decant::chat::detail
