#include "chat/detail/named_products.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "chat/detail/named_codes.hpp"
#include "chat/detail/named_figures.hpp"
#include "chat/detail/vocabulary.hpp"

namespace decant::chat::detail {
namespace {

struct Quotes {
    std::string_view begin;
    std::string_view end;
};
constexpr auto quotes =
    std::to_array<Quotes>({{"**", "**"}, {"__", "__"}, {"«", "»"}, {"“", "”"}, {"‘", "’"}, {"`", "`"}, {"\"", "\""}});
constexpr std::size_t most_name_bytes = 160;

/// Where the head of an item or of a line ends.
constexpr auto separators = std::to_array<std::string_view>(
    {":", " - ", " – ", "–", "—", " (", "|", "$", "€", "£", ", ", "; ", ". ", "\t", " USD", " ARS", " EUR", "→", "=>"});
/// Of these, what sets a head apart in the middle of a sentence too.
constexpr auto apart = std::to_array<std::string_view>({":", " - ", " – ", "–", "—", " (", "|", "→", "=>"});

bool is_letter(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) >= 0xc3;
}

bool is_alnum(char c) noexcept {
    return is_letter(c) || (c >= '0' && c <= '9');
}

/// What may be the name of a product.
struct Name {
    Words words;
    std::string_view text;
    bool has_price;         ///< one stands behind it
    bool is_prose = false;  ///< without marks: words of a sentence may stand around it
};

/// A price follows, at most behind words that say so.
bool starts_with_price(std::string_view rest) {
    const Words words = words_in(rest);
    constexpr std::size_t most_words = 4;
    for (std::size_t at = 0; at < std::min(words.size(), most_words); ++at) {
        if (words[at].has_digit()) return has_currency(words, at);
        if (!is_common(words[at].folded) && !is_currency(words[at].folded)) return false;
    }
    return false;
}

/// Tells a product from others: no common word, no measure.
bool is_telling(const Word& word) {
    const bool is_initial = word.text.size() == 1 && !word.has_digit();
    return !is_initial && !is_common(word.folded) && !is_unit(word.folded) &&
           !(word.has_digit() && word.has_letter() && is_measure(word.folded));
}

bool is_counted(const Words& words, std::size_t at) {
    return !words[at].has_letter() && at + 1 < words.size() && is_unit(words[at + 1].folded);
}

bool has_word(const KnownFacts::Product& product, const Words& words, std::size_t at) {
    const std::string own = stem(words[at].folded);
    if (product.stems.contains(own) || product.joined.contains(own)) return true;
    return (at > 0 && product.joined.contains(stem(words[at - 1].folded) + own)) ||
           (at + 1 < words.size() && product.joined.contains(own + stem(words[at + 1].folded)));
}

/// The words that the name stands or falls by: capitals and numbers, but for a number that it begins with. The first
/// word is one where a marked name has others, for it is a capital anyway.
std::vector<std::size_t> strict_words(const Name& name) {
    std::vector<std::size_t> strict;
    bool has_first = false;
    for (std::size_t at = 0; at < name.words.size(); ++at) {
        const Word& word = name.words[at];
        const bool is_strict =
            is_telling(word) && !is_counted(name.words, at) && (word.has_digit() || word.is_capital());
        if (!is_strict || (at == 0 && !word.has_letter())) continue;
        const bool is_only_first = at == 0 && !word.has_digit();
        has_first = has_first || is_only_first;
        const bool is_count = !word.has_letter() && (is_common(name.words[at - 1].folded) ||
                                                     (name.is_prose && !name.words[at - 1].is_capital()));
        if (!is_only_first && !is_count) strict.push_back(at);
    }
    if (has_first && !strict.empty() && !name.is_prose) strict.insert(strict.begin(), 0);
    return strict;
}

bool is_name_of(const Name& name, const std::vector<std::size_t>& strict, const KnownFacts::Product& product) {
    const auto has = [&](std::size_t at) { return has_word(product, name.words, at); };
    if (!std::ranges::all_of(strict, has)) return false;
    if (name.is_prose && !strict.empty()) return true;
    std::size_t telling = 0;
    std::size_t known = 0;
    for (std::size_t at = 0; at < name.words.size(); ++at) {
        if (!is_telling(name.words[at])) continue;
        ++telling;
        if (has(at)) ++known;
    }
    return 2 * known >= telling;
}

bool is_known(const Name& name, const KnownFacts& known) {
    if (name.words.empty() || known.asks(name.words)) return true;
    const std::vector<std::size_t> strict = strict_words(name);
    const bool has_letters = std::ranges::any_of(name.words, &Word::has_letter);  // figures are looked at elsewhere
    const bool is_claim = has_letters && (!strict.empty() || name.has_price);
    if (!is_claim || std::ranges::none_of(name.words, is_telling)) return true;
    return std::ranges::any_of(known.products(), [&](const auto& each) { return is_name_of(name, strict, each); });
}

Name name_of(std::string_view text, std::string_view rest) {
    return {.words = words_in(text), .text = text, .has_price = starts_with_price(rest)};
}

std::optional<std::string> fault_of(const Name& name, const KnownFacts& known) {
    if (is_known(name, known)) return std::nullopt;
    return fmt::format("a product that no row has: {}", name.text);
}

/// Names between marks, in one line.
std::optional<std::string> find_quoted(std::string_view line, const KnownFacts& known) {
    for (std::size_t at = 0; at < line.size(); ++at) {
        const auto* const pair =
            std::ranges::find_if(quotes, [&](const Quotes& each) { return line.substr(at).starts_with(each.begin); });
        if (pair == quotes.end()) continue;
        const bool is_inches = pair->begin == "\"" && at > 0 && is_alnum(line[at - 1]);
        const std::size_t begin = at + pair->begin.size();
        const std::size_t end = line.find(pair->end, begin);
        if (is_inches || end == std::string_view::npos) continue;
        if (end - begin <= most_name_bytes) {
            const Name name = name_of(line.substr(begin, end - begin), line.substr(end + pair->end.size()));
            if (auto fault = fault_of(name, known)) return fault;
        }
        at = end + pair->end.size() - 1;
    }
    return std::nullopt;
}

/// Takes "- ", "1. ", "2) ", "# ", "| " and other marks off a line; false: it has none.
bool take_marks(std::string_view& line) {
    const std::size_t first = line.find_first_not_of(" \t");
    line.remove_prefix(std::min(first, line.size()));
    const std::size_t digits = std::min(line.find_first_not_of("0123456789"), line.size());
    const bool is_number = digits > 0 && digits <= 2 && digits < line.size() && !is_alnum(line[digits]) &&
                           line[digits] != ' ' && line[digits] != '"' && line[digits] != ',';
    if (is_number) line.remove_prefix(digits);
    const std::size_t size = line.size();
    while (!line.empty() && !is_alnum(line.front()) && line.front() != '"' && line.front() != '$')
        line.remove_prefix(1);
    return is_number || line.size() < size;
}

std::size_t head_end(std::string_view line) {
    std::size_t end = line.size();
    for (const std::string_view separator : separators)
        end = std::min(end, line.find(separator));
    return end;
}

/// "Opción 2", "Best pick": what it stands before is a product.
bool is_label(const Words& words) {
    constexpr auto labels =
        std::to_array<std::string_view>({"recomendacion", "recomendado", "recomendada", "recommendation", "recommended",
                                         "mejor", "best", "pick", "choice", "destacado", "sugerencia", "suggestion"});
    const auto names_one = [&](const Word& word) {
        return counts_products(word.folded) || std::ranges::find(labels, word.folded) != labels.end();
    };
    return std::ranges::any_of(words, names_one) &&
           std::ranges::all_of(words, [](const Word& word) { return !word.has_letter() || !is_telling(word); });
}

std::optional<std::string> find_headed(std::string_view line, const KnownFacts& known) {
    const bool is_item = take_marks(line);
    const std::size_t end = head_end(line);
    if (end > most_name_bytes) return std::nullopt;
    std::string_view rest = line.substr(end);
    Name name = name_of(line.substr(0, end), rest);
    name.is_prose = !is_item;
    const bool is_apart = std::ranges::any_of(apart, [&](std::string_view each) { return rest.starts_with(each); });
    if (is_label(name.words) && is_apart) {
        take_marks(rest);
        const std::size_t labelled = std::min(head_end(rest), most_name_bytes);
        name = name_of(rest.substr(0, labelled), rest.substr(labelled));
        name.is_prose = true;
        return fault_of(name, known);
    }
    if (is_item) return fault_of(name, known);
    const bool is_bare = std::ranges::all_of(name.words, is_telling);
    return name.has_price && (is_apart || is_bare) ? fault_of(name, known) : std::nullopt;
}

/// A capital in the middle of a sentence makes a proper noun.
std::optional<std::string> find_noun(const Words& words, const KnownFacts& known) {
    constexpr std::size_t least_bytes = 3;
    for (std::size_t at = 1; at < words.size(); ++at) {
        const Word& word = words[at];
        const bool is_noun = word.is_capital() && word.text.size() >= least_bytes && !word.has_digit();
        if (!is_noun || ends_sentence(word.before) || is_common(word.folded) || is_unit(word.folded)) continue;
        const bool is_abbreviation = word.text.size() == least_bytes && word.text[1] >= 'A' && word.text[1] <= 'Z';
        if (!is_abbreviation && !known.mentions_word(word.folded) && !known.mentions_joined(stem(word.folded)))
            return fmt::format("a name that no row has: {}", word.text);
    }
    return std::nullopt;
}

}  // namespace

std::optional<std::string> find_unknown_product(std::string_view text, const KnownFacts& known) {
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = std::min(text.find('\n', begin), text.size());
        const std::string_view line = text.substr(begin, end - begin);
        if (auto fault = find_quoted(line, known)) return fault;
        if (auto fault = find_headed(line, known)) return fault;
        begin = end + 1;
    }
    return find_noun(words_in(text), known);
}

}  // namespace decant::chat::detail
