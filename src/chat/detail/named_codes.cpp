#include "chat/detail/named_codes.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "chat/detail/named_figures.hpp"
#include "chat/detail/vocabulary.hpp"

namespace decant::chat::detail {
namespace {

/// Behind digits in one word, besides units: "24h", "1080p", "10th", "1ra".
constexpr auto suffixes =
    std::to_array<std::string_view>({"a",  "h",  "l",  "m",  "p",  "v",  "w",  "er", "th", "st", "nd", "rd", "ra",
                                     "da", "ro", "do", "to", "ta", "va", "vo", "no", "na", "mo", "ma", "in", "mil"});
/// Where there are at most two digits: "5g", "4k", "10x". Behind more it is a model's: "5600g", "12700k", "4090x".
constexpr auto short_suffixes = std::to_array<std::string_view>({"c", "d", "f", "g", "j", "k", "n", "s", "x"});
/// Before digits in one word.
constexpr auto prefixes = std::to_array<std::string_view>(
    {"ip", "ipx", "h", "x", "f", "v", "fhd", "usb", "hdmi", "ddr", "mp", "cat", "nro", "n"});

bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

std::size_t digits_of(std::string_view text) {
    return static_cast<std::size_t>(std::ranges::count_if(text, is_digit));
}

bool is_one_of(std::span<const std::string_view> list, std::string_view text) {
    return std::ranges::find(list, text) != list.end();
}

/// "1920x1080", "2x8gb".
bool is_product_of(std::string_view folded) {
    const std::size_t x = folded.find('x');
    if (x == 0 || x == std::string_view::npos) return false;
    const bool has_digits_before = std::ranges::all_of(folded.substr(0, x), is_digit);
    return has_digits_before && x + 1 < folded.size() && is_digit(folded[x + 1]) && is_measure(folded.substr(x + 1));
}

/// Words that hyphens join.
class Compound {
public:
    Compound(const Words& words, std::size_t begin) : words_(words), begin_(begin), end_(begin + 1) {
        while (end_ < words.size() && (words[end_].before == "-" || words[end_].before == "_"))
            ++end_;
    }

    std::size_t end() const noexcept { return end_; }

    bool looks_like_code() const {
        std::size_t digits = 0;
        bool has_letter = false;
        for (std::size_t i = begin_; i < end_; ++i) {
            digits += digits_of(words_[i].text);
            has_letter = has_letter || words_[i].has_letter();
        }
        return has_letter && digits >= 2;
    }

    bool is_known(const KnownFacts& known) const {
        std::string joined;
        for (std::size_t i = begin_; i < end_; ++i)
            joined += stem(words_[i].folded);
        if (known.mentions_joined(joined)) return true;
        for (std::size_t i = begin_; i < end_; ++i) {
            if (words_[i].has_digit() && !is_known_part(i, known)) return false;
        }
        return true;
    }

    std::string_view text() const {
        const char* const begin = words_[begin_].text.data();
        const std::string_view last = words_[end_ - 1].text;
        return {begin, static_cast<std::size_t>(last.data() + last.size() - begin)};
    }

private:
    bool is_known_part(std::size_t i, const KnownFacts& known) const {
        const std::string own = stem(words_[i].folded);
        const bool has_letter = words_[i].has_letter();
        if (has_letter && (is_measure(words_[i].folded) || known.mentions_joined(own) || has_currency(words_, i)))
            return true;
        if (i > begin_ && known.mentions_joined(stem(words_[i - 1].folded) + own)) return true;
        if (i + 1 < end_ && known.mentions_joined(own + stem(words_[i + 1].folded))) return true;
        return !has_letter && i + 1 < end_ && is_unit(words_[i + 1].folded);
    }

    const Words& words_;
    std::size_t begin_;
    std::size_t end_;
};

bool is_counted(const Words& words, std::size_t at) {
    const std::string_view after = words[at].after;
    if (after.starts_with('"') || after.starts_with("\xe2") || after.starts_with('%') || after.starts_with('\''))
        return true;
    if (at + 1 >= words.size() || !is_narrow(after) || words[at + 1].is_capital()) return false;
    return is_unit(words[at + 1].folded) || !is_common(words[at + 1].folded);
}

/// The number or short code behind a word of a product's name ("IdeaPad 5", "Core i7") is another one than it has
/// there.
bool is_other_number(const Words& words, std::size_t at, const KnownFacts& known) {
    const Word& number = words[at];
    if (at == 0 || !number.has_digit() || number.text.size() > 3 || number.before != " ") return false;
    const bool is_bare = !number.has_letter();
    if (is_bare ? number.text.size() > 2 || is_counted(words, at) || has_currency(words, at)
                : is_measure(number.folded))
        return false;
    const Word& name = words[at - 1];
    const auto has_it = [&](const KnownFacts::Product& product) { return product.stems.contains(stem(name.folded)); };
    if (!name.is_capital() || is_common(name.folded) || std::ranges::none_of(known.products(), has_it)) return false;
    return !known.mentions_joined(stem(name.folded) + number.folded) && !known.mentions_word(number.folded);
}

}  // namespace

bool is_measure(std::string_view folded) {
    const auto read = figure_word(folded);
    if (!read) return is_product_of(folded);
    if (read->prefix.empty()) {
        const std::size_t digits = digits_of(folded);
        const bool is_more = (digits <= 4 && is_one_of(suffixes, read->suffix)) ||
                             (digits <= 2 && is_one_of(short_suffixes, read->suffix));
        return read->suffix.empty() || is_unit(read->suffix) || follows_stock(read->suffix) ||
               is_currency(read->suffix) || is_more;
    }
    if (is_currency(read->prefix)) return true;
    return read->suffix.empty() && digits_of(folded) <= 3 && is_one_of(prefixes, read->prefix);
}

std::optional<std::string> find_unknown_code(const Words& words, const KnownFacts& known) {
    for (std::size_t at = 0; at < words.size();) {
        const Compound compound{words, at};
        if ((compound.looks_like_code() && !compound.is_known(known)) || is_other_number(words, at, known))
            return fmt::format("a model that no row has: {}", compound.text());
        at = compound.end();
    }
    return std::nullopt;
}

}  // namespace decant::chat::detail
