#include "search/detail/tokens.hpp"

#include <algorithm>
#include <array>

#include "core/fold_text.hpp"

namespace decant::search::detail {
namespace {

/// Belong to the word that they follow: 27", C++, 50%.
constexpr auto closing_marks = std::to_array<std::string_view>({"\"", "”", "″", "'", "+", "%", "°", ")", "]"});

std::string_view between(const Token& first, const Token& last) {
    const char* const end = last.written.data() + last.written.size();
    return {first.written.data(), static_cast<std::size_t>(end - first.written.data())};
}

std::string_view closing_of(std::string_view gap) {
    std::size_t length = 0;
    for (bool goes_on = true; goes_on;) {
        goes_on = false;
        for (const std::string_view mark : closing_marks) {
            if (!gap.substr(length).starts_with(mark)) continue;
            length += mark.size();
            goes_on = true;
        }
    }
    return gap.substr(0, length);
}

}  // namespace

Tokens tokens_of(std::string_view question) {
    Tokens tokens;
    const char* last = question.data();
    for (const std::string_view word : words_of(question)) {
        if (tokens.size() == most_tokens) break;
        const std::string_view gap{last, static_cast<std::size_t>(word.data() - last)};
        if (!tokens.empty()) tokens.back().after = gap;
        tokens.push_back({.written = word, .before = gap, .after = {}, .folded = fold_text(word)});
        last = word.data() + word.size();
    }
    if (!tokens.empty())
        tokens.back().after = {last, static_cast<std::size_t>(question.data() + question.size() - last)};
    return tokens;
}

std::size_t match(const Tokens& tokens, std::size_t at, std::string_view phrase) {
    std::size_t count = 0;
    while (!phrase.empty()) {
        const std::size_t end = std::min(phrase.find(' '), phrase.size());
        const std::size_t i = at + count;
        if (i >= tokens.size() || tokens[i].is_used || tokens[i].folded != phrase.substr(0, end)) return 0;
        phrase.remove_prefix(std::min(end + 1, phrase.size()));
        ++count;
    }
    return count;
}

Phrases::Phrases(std::string_view list) {
    while (!list.empty()) {
        const std::size_t end = std::min(list.find(", "), list.size());
        const std::string_view phrase = list.substr(0, end);
        by_first_[phrase.substr(0, phrase.find(' '))].push_back(phrase);
        list.remove_prefix(std::min(end + 2, list.size()));
    }
}

bool Phrases::has(std::string_view word) const {
    const auto found = by_first_.find(word);
    return found != by_first_.end() && std::ranges::find(found->second, word) != found->second.end();
}

std::size_t Phrases::match(const Tokens& tokens, std::size_t at) const {
    if (at >= tokens.size()) return 0;
    const auto found = by_first_.find(tokens[at].folded);
    if (found == by_first_.end()) return 0;
    std::size_t longest = 0;
    for (const std::string_view phrase : found->second)
        longest = std::max(longest, detail::match(tokens, at, phrase));
    return longest;
}

std::size_t count_before(const Tokens& tokens, std::size_t at, const Phrases& words) {
    std::size_t count = 0;
    while (count < at && !tokens[at - count - 1].is_used && words.has(tokens[at - count - 1].folded))
        ++count;
    return count;
}

bool is_number(std::string_view word) noexcept {
    return !word.empty() &&
           std::ranges::all_of(word, [](char c) { return (c >= '0' && c <= '9') || c == '.' || c == ','; });
}

bool is_joined(std::string_view gap) noexcept {
    return gap == "-" || gap == "/" || gap == "'" || gap == "’" || gap == "+" || gap == "&" || gap == "_" || gap == ".";
}

std::string text_of(const Tokens& tokens, std::size_t first, std::size_t count) {
    return std::string{between(tokens[first], tokens[first + count - 1])};
}

std::string unused_text(const Tokens& tokens) {
    std::string text;
    for (std::size_t at = 0; at < tokens.size();) {
        if (tokens[at].is_used) {
            ++at;
            continue;
        }
        std::size_t last = at;
        while (last + 1 < tokens.size() && !tokens[last + 1].is_used)
            ++last;
        if (!text.empty()) text += ' ';
        text += between(tokens[at], tokens[last]);
        // Words over the limit were not looked at.
        const bool has_more = last + 1 == tokens.size() && !words_of(tokens[last].after).empty();
        text += has_more ? tokens[last].after : closing_of(tokens[last].after);
        at = last + 1;
    }
    if (!tokens.empty() && tokens.back().is_used && !words_of(tokens.back().after).empty()) text += tokens.back().after;
    return text;
}

}  // namespace decant::search::detail
