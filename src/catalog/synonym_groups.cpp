#include "catalog/synonym_groups.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/fold_text.hpp"
#include "core/utf8.hpp"

namespace decant::catalog {
namespace {

constexpr std::size_t most_characters = 100;
constexpr std::string_view blanks = " \t\r";

std::string_view trimmed(std::string_view text) {
    const std::size_t begin = text.find_first_not_of(blanks);
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

std::optional<std::string> fault_of(const std::string& phrase) {
    const bool is_control = std::ranges::any_of(phrase, [](char c) { return static_cast<unsigned char>(c) < 0x20; });
    if (is_control || valid_utf8(phrase) != phrase) return fmt::format("'{}' is no text in UTF-8", printable(phrase));
    if (first_characters(phrase, most_characters).size() < phrase.size())
        return fmt::format("'{}...' is longer than {} characters", first_characters(phrase, 20), most_characters);
    if (phrase.find_first_of(",=#") != std::string::npos)
        return fmt::format("'{}' has a character that stands for something else in a file: , = #", phrase);
    const std::size_t words = words_of(phrase).size();
    if (words == 0) return fmt::format("'{}' has no letter and no digit", phrase);
    if (words > most_synonym_words) return fmt::format("'{}' has more than {} words", phrase, most_synonym_words);
    return std::nullopt;
}

std::vector<std::string> words_of_line(std::string_view line) {
    std::vector<std::string> words;
    for (std::size_t begin = 0; begin <= line.size();) {
        const std::size_t end = std::min(line.find_first_of(",=", begin), line.size());
        if (const std::string_view word = trimmed(line.substr(begin, end - begin)); !word.empty())
            words.emplace_back(word);
        begin = end + 1;
    }
    return words;
}

}  // namespace

std::string synonym_key(std::string_view phrase) {
    const std::string folded = fold_text(phrase);
    std::string key;
    for (const std::string_view word : words_of(folded)) {
        if (!key.empty()) key.push_back(' ');
        key += word;
    }
    return key;
}

std::optional<std::string> synonym_fault(std::span<const std::string> words) {
    std::set<std::string> keys;
    for (const std::string& word : words) {
        if (auto fault = fault_of(word)) return fault;
        keys.insert(synonym_key(word));
    }
    if (keys.size() >= 2) return std::nullopt;
    return words.empty() ? std::string{"there is no word"}
                         : fmt::format("'{}' is alone: a group has at least two different words", words.front());
}

std::vector<SynonymLine> read_synonyms(std::string_view text) {
    std::vector<SynonymLine> lines;
    if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
    for (std::size_t number = 1; !text.empty(); ++number) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        const std::string_view whole = text.substr(0, end);
        const std::string_view line = trimmed(whole.substr(0, whole.find('#')));
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.empty()) continue;
        SynonymLine& read = lines.emplace_back();
        read.line = number;
        read.words = words_of_line(line);
        read.fault = synonym_fault(read.words);
    }
    return lines;
}

}  // namespace decant::catalog
