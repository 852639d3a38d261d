#include "search/detail/question_words.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <span>

#include "core/fold_text.hpp"

namespace decant::search::detail {
namespace {

constexpr std::array units{"gb", "tb", "mb", "ghz", "mhz", "hz", "w", "va", "mm", "rpm", "mah", "mp", "fps", "k"};
constexpr std::array inches{"pulgadas", "pulgada", "inch", "inches"};

constexpr std::size_t least_code = 4;
constexpr std::size_t most_code = 100;

/// Endings that are often written without their accent, and with it; the Spanish stems of both differ.
struct Ending {
    std::string_view plain;
    std::string_view accented;
};
constexpr std::array endings{Ending{"cion", "ción"}, Ending{"sion", "sión"}, Ending{"on", "ón"}, Ending{"ia", "ía"}};

bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

bool is_number(std::string_view word) {
    return !word.empty() && is_digit(word.front()) &&
           std::ranges::all_of(word, [](char c) { return is_digit(c) || c == '.' || c == ','; });
}

bool is_one_of(std::string_view word, std::span<const char* const> list) {
    return std::ranges::find(list, word) != list.end();
}

void add(Spellings& spellings, std::string spelling) {
    if (!spelling.empty() && std::ranges::find(spellings, spelling) == spellings.end())
        spellings.push_back(std::move(spelling));
}

void add_numbers(Spellings& spellings, const std::string& folded) {
    const auto without = [&](std::size_t end) { return folded.substr(0, folded.size() - end); };
    if (folded.ends_with("ces")) add(spellings, without(3) + "z");
    if (folded.ends_with("ies")) add(spellings, without(3) + "y");
    if (folded.ends_with("es") && folded.size() > 4) add(spellings, without(2));
    if (folded.ends_with("s") && folded.size() > 3) {
        add(spellings, without(1));
        return;
    }
    add(spellings, folded + "s");
    add(spellings, folded + "es");
    if (folded.ends_with("z")) add(spellings, without(1) + "ces");
    if (folded.ends_with("y")) add(spellings, without(1) + "ies");
}

/// "16gb" is 16 and gb; 0 where the word is no number with a unit.
std::size_t digits_before_unit(std::string_view folded) {
    std::size_t digits = 0;
    while (digits < folded.size() && (is_digit(folded[digits]) || folded[digits] == '.' || folded[digits] == ','))
        ++digits;
    return digits > 0 && is_one_of(folded.substr(digits), units) ? digits : 0;
}

/// A number as it stands, and in the pieces into which a text search takes "15,6".
Alternative pieces_of(std::string_view number) {
    Alternative pieces;
    for (std::size_t begin = 0; begin < number.size();) {
        const std::size_t end = std::min(number.find_first_of(".,", begin), number.size());
        if (end > begin) pieces.push_back({std::string{number.substr(begin, end - begin)}});
        begin = end + 1;
    }
    return pieces;
}

std::string singular(const std::string& folded) {
    if (folded.size() < 4 || !folded.ends_with('s')) return folded;
    const bool is_es =
        folded.ends_with("es") && std::string_view{"dlrnjz"}.find(folded[folded.size() - 3]) != std::string_view::npos;
    return folded.substr(0, folded.size() - (is_es ? 2 : 1));
}

std::string_view cut(std::string_view word) {
    if (word.size() <= most_letters) return word;
    std::size_t end = most_letters;
    while (end > 0 && (static_cast<unsigned char>(word[end]) & 0xc0U) == 0x80)
        --end;
    return word.substr(0, end);
}

/// "m.2", which a text search takes for one word; nothing where the next word stands apart.
std::string with_point(std::string_view word, std::string_view next) {
    const char* const end = word.data() + word.size();
    return next.data() == end + 1 && *end == '.'
               ? fold_text(std::string_view{word.data(), word.size() + 1 + next.size()})
               : std::string{};
}

Term number_term(std::string_view written, const std::string& number, const std::string& unit) {
    std::vector<Alternative> alternatives;
    if (!unit.empty()) alternatives.push_back({{number + unit}});
    std::string pointed = number;
    std::ranges::replace(pointed, ',', '.');
    for (Alternative words : {Alternative{{pointed, "-" + pointed}}, pieces_of(number)}) {
        if (!unit.empty()) words.push_back({unit});
        alternatives.push_back(std::move(words));
    }
    return {.text = std::string{written}, .folded = number + unit, .alternatives = std::move(alternatives)};
}

}  // namespace

Spellings spellings_of(std::string_view word) {
    Spellings spellings{std::string{word}};
    const std::string folded = fold_text(word);
    add(spellings, folded);
    for (const auto& [plain, accented] : endings) {
        if (folded.size() > plain.size() + 1 && folded.ends_with(plain)) {
            add(spellings, folded.substr(0, folded.size() - plain.size()) + std::string{accented});
            break;
        }
    }
    if (!std::ranges::any_of(folded, is_digit) && folded.size() > 2) add_numbers(spellings, folded);
    return spellings;
}

Alternative phrase_of(std::string_view phrase) {
    Alternative alternative;
    const std::vector<std::string_view> words = words_of(phrase);
    for (std::size_t i = 0; i < words.size(); ++i) {
        std::string pointed = i + 1 < words.size() ? with_point(words[i], words[i + 1]) : std::string{};
        if (pointed.empty()) {
            alternative.push_back(spellings_of(words[i]));
        } else {
            alternative.push_back({std::move(pointed)});
            ++i;
        }
    }
    return alternative;
}

std::vector<std::string> forms_of(std::span<const Term> terms) {
    std::vector<std::string> forms(1);
    for (const Term& term : terms)
        forms.front() += (forms.front().empty() ? "" : " ") + term.folded;
    if (terms.size() == 1) {
        for (const std::string& spelling : spellings_of(terms.front().folded))
            forms.push_back(fold_text(spelling));
        return forms;
    }
    // "placas de video", "tarjetas graficas", "graphics cards", "unidades de estado solido"
    std::string first = singular(terms.front().folded);
    std::string last = terms.front().folded;
    std::string all = first;
    for (const Term& term : terms.subspan(1)) {
        const bool is_last = &term == &terms.back();
        first += " " + term.folded;
        last += " " + (is_last ? singular(term.folded) : term.folded);
        all += " " + singular(term.folded);
    }
    std::ranges::move(std::array{std::move(first), std::move(last), std::move(all)}, std::back_inserter(forms));
    return forms;
}

Term joined(std::span<const Term> terms) {
    Term term = terms.front();
    for (const Term& next : terms.subspan(1)) {
        term.text += " " + next.text;
        term.folded += " " + next.folded;
        term.is_guess |= next.is_guess;
        // A number may be written in several ways; the first is as it stands.
        std::ranges::copy(next.alternatives.front(), std::back_inserter(term.alternatives.front()));
    }
    if (terms.size() > 1) term.alternatives.resize(1);
    term.own_alternatives = term.alternatives.size();
    term.words = terms.size();
    return term;
}

std::vector<Term> terms_of(std::string_view question) {
    std::vector<Term> terms;
    const std::vector<std::string_view> words = words_of(question);
    const auto add_term = [&](Term term) {
        if (std::ranges::find(terms, term.folded, &Term::folded) == terms.end()) terms.push_back(std::move(term));
    };
    for (std::size_t i = 0; i < words.size() && terms.size() < most_terms; ++i) {
        const std::string_view word = cut(words[i]);
        const std::string folded = fold_text(word);
        const std::string next = i + 1 < words.size() ? fold_text(cut(words[i + 1])) : std::string{};
        if (std::string pointed = next.empty() ? next : with_point(word, cut(words[i + 1])); !pointed.empty()) {
            add_term({.text = pointed,
                      .folded = folded + " " + next,
                      .alternatives = {{{pointed}}, {spellings_of(word), spellings_of(words[i + 1])}}});
            ++i;
        } else if (const std::size_t digits = digits_before_unit(folded)) {
            add_term(number_term(word, folded.substr(0, digits), folded.substr(digits)));
        } else if (is_number(folded) && is_one_of(next, units)) {
            add_term(number_term(word, folded, next));
            ++i;
        } else if (is_number(folded)) {
            add_term(number_term(word, folded, ""));
            if (is_one_of(next, inches)) ++i;  // products say 27" or 27 pulgadas
        } else {
            add_term({.text = std::string{word}, .folded = folded, .alternatives = {{spellings_of(word)}}});
        }
    }
    return terms;
}

std::string code_of(std::string_view word) {
    std::string code;
    for (const char c : word) {
        if (is_digit(c) || (c >= 'A' && c <= 'Z'))
            code.push_back(c);
        else if (c >= 'a' && c <= 'z')
            code.push_back(static_cast<char>(c - 'a' + 'A'));
    }
    return code.size() >= least_code && code.size() <= most_code ? code : std::string{};
}

std::vector<std::string> codes_of(std::string_view question) {
    std::vector<std::string> codes;
    const auto add_code = [&](std::string code) {
        if (!code.empty() && std::ranges::find(codes, code) == codes.end()) codes.push_back(std::move(code));
    };
    add_code(code_of(question));
    for (std::size_t begin = 0; begin < question.size() && codes.size() <= most_terms;) {
        const std::size_t end = std::min(question.find_first_of(" \t\r\n", begin), question.size());
        std::string code = code_of(question.substr(begin, end - begin));
        if (std::ranges::any_of(code, is_digit)) add_code(std::move(code));
        begin = end + 1;
    }
    return codes;
}

std::size_t edits_between(std::string_view a, std::string_view b, std::size_t most) {
    if (std::max(a.size(), b.size()) - std::min(a.size(), b.size()) > most) return most + 1;
    // Optimal string alignment: three rows of the table.
    std::vector<std::size_t> before(b.size() + 1);
    std::vector<std::size_t> last(b.size() + 1);
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j)
        last[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0U : 1U)});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = std::min(row[j], before[j - 2] + 1);
        }
        before.swap(last);
        last.swap(row);
    }
    return std::min(last[b.size()], most + 1);
}

}  // namespace decant::search::detail
