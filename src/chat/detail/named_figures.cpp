#include "chat/detail/named_figures.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "chat/detail/vocabulary.hpp"

namespace decant::chat::detail {
namespace {

constexpr auto signs = std::to_array<std::string_view>({"$", "€", "£", "¥"});

/// From here on a number without a unit is a price or an invention.
constexpr double least_telling = 100;

std::string_view without_blanks(std::string_view text) noexcept {
    while (text.starts_with(' '))
        text.remove_prefix(1);
    while (text.ends_with(' '))
        text.remove_suffix(1);
    return text;
}

bool starts_with_sign(std::string_view text) {
    return std::ranges::any_of(signs, [&](std::string_view sign) { return text.starts_with(sign); });
}

bool ends_with_sign(std::string_view text) {
    return std::ranges::any_of(signs, [&](std::string_view sign) { return text.ends_with(sign); });
}

/// "$ 100", "USD 100", "U$S 100".
bool has_currency_before(const Words& words, std::size_t at) {
    const std::string gap = plain_gap(words[at].before);
    const bool is_of_the_last = at > 0 && starts_with_sign(gap) && words[at - 1].has_digit() && gap.ends_with(' ');
    if (ends_with_sign(without_blanks(gap)) && !is_of_the_last) return true;
    if (at == 0 || !is_narrow(words[at].before)) return false;
    const Word& last = words[at - 1];
    if (last.folded == "s") return last.before.ends_with('$');
    const bool is_code = is_currency(last.folded) && last.folded.size() == 3;
    return is_code && !(at > 1 && words[at - 2].has_digit() && is_narrow(last.before));  // then it is of that number
}

/// "100$", "100 €", "100 pesos", "100 de pesos".
bool has_currency_after(const Words& words, std::size_t at) {
    const std::string gap = plain_gap(words[at].after);
    const bool has_next = at + 1 < words.size();
    const bool is_of_the_next = has_next && words[at + 1].has_digit() && ends_with_sign(without_blanks(gap));
    if (starts_with_sign(gap) || (starts_with_sign(without_blanks(gap)) && !is_of_the_next)) return true;
    if (!has_next || !is_narrow(words[at].after)) return false;
    if (words[at + 1].folded == "de" && at + 2 < words.size()) return is_currency(words[at + 2].folded);
    return is_currency(words[at + 1].folded);
}

/// One number of an answer and what it says.
class Reading {
public:
    Reading(const Words& words, std::size_t at, const KnownFacts& known) : words_(words), at_(at), known_(known) {}

    std::optional<std::string> fault() {
        if (const auto spelled = number_word(word().folded)) return fault_of_spelled(*spelled);
        if (!word().has_digit()) return std::nullopt;
        const auto read = figure_word(word().folded);
        const bool is_money =
            has_currency(words_, at_) || (read && (is_currency(read->prefix) || is_currency(read->suffix)));
        if (!read) return is_money ? no_row("price") : std::nullopt;
        figure_ = *read;
        value_ = read->figure.value * factor();
        if (is_money) return known_.has_price(value_) ? std::nullopt : no_row("price");
        if (counts_stock()) return is_known_stock() ? std::nullopt : no_row("stock");
        if (is_percent()) return is_discounted() && !known_.has_asked(value_) ? no_row("discount") : std::nullopt;
        return fault_of_bare();
    }

private:
    const Word& word() const { return words_[at_]; }
    const Word* next(std::size_t steps = 1) const {
        return at_ + steps < words_.size() ? &words_[at_ + steps] : nullptr;
    }
    const Word* last(std::size_t steps = 1) const { return at_ >= steps ? &words_[at_ - steps] : nullptr; }

    std::optional<std::string> no_row(std::string_view what) const {
        return fmt::format("a {} that no row has: {}", what, word().text);
    }

    /// "15k", "15 mil", "2 millones".
    double factor() const {
        if (figure_.suffix == "k") return has_currency(words_, at_) || value_of_k() >= 10'000 ? 1'000 : 1;
        if (!figure_.suffix.empty() || next() == nullptr || !is_narrow(word().after)) return 1;
        if (next()->folded == "lucas" || next()->folded == "luca") return 1'000;
        const auto number = number_word(next()->folded);
        return number && *number >= 1'000 ? *number : 1;
    }
    double value_of_k() const { return figure_.figure.value * 1'000; }

    /// "quedan dos unidades" is looked at as "quedan 2 unidades" is; "quinientos pesos" only the question may say.
    std::optional<std::string> fault_of_spelled(double value) {
        value_ = value;
        const bool is_one = value == 1;
        const bool is_after_digits = last() != nullptr && last()->has_digit();
        if (!is_one && !is_after_digits && has_currency_after(words_, at_))
            return known_.asks(spelled()) ? std::nullopt : no_row("price");
        if (is_one && !announces_left() && !(next() != nullptr && next()->folded.starts_with("uni")))
            return std::nullopt;
        return counts_stock() && !is_known_stock() ? no_row("stock") : std::nullopt;
    }

    /// "dos mil quinientos", from its end.
    Words spelled() const {
        std::size_t begin = at_;
        while (begin > 0 && number_word(words_[begin - 1].folded))
            --begin;
        return {words_.begin() + static_cast<std::ptrdiff_t>(begin),
                words_.begin() + static_cast<std::ptrdiff_t>(at_ + 1)};
    }

    bool announces_left() const { return last() != nullptr && last()->folded.starts_with("queda"); }

    bool is_known_stock() const {
        if (known_.has_stock(value_)) return true;
        return next() != nullptr &&
               known_.has_joined(stem(word().folded) + stem(next()->folded));  // "pack x 2 unidades"
    }

    bool counts_stock() const {
        if (!figure_.suffix.empty()) return follows_stock(figure_.suffix);
        return is_before_stock() || is_after_stock();
    }

    /// "3 unidades", "3 en stock", "3 taladros Bosch disponibles", "tenemos 30 taladros".
    bool is_before_stock() const {
        if (next() == nullptr || !is_narrow(word().after)) return false;
        if (follows_stock(next()->folded) || is_in_stock(1)) return true;
        if (counts_products(next()->folded) || is_unit(next()->folded)) return false;
        if (value_ == static_cast<double>(known_.products().size())) return false;  // "dos taladros disponibles"
        constexpr std::size_t most_nouns = 4;
        for (std::size_t steps = 2; steps <= most_nouns && is_noun_before(steps); ++steps) {
            if (follows_stock(next(steps)->folded) || is_in_stock(steps)) return true;
        }
        const bool has_more = value_ > static_cast<double>(known_.products().size());
        return has_more && is_owned() && known_.has_word(next()->folded) && !next()->is_capital();
    }

    bool is_noun_before(std::size_t steps) const {
        return next(steps) != nullptr && is_narrow(next(steps)->before) && !next(steps - 1)->has_digit();
    }

    bool is_owned() const {
        constexpr auto verbs = std::to_array<std::string_view>(
            {"tenemos", "tengo", "hay", "disponemos", "contamos", "have", "are", "got", "stock"});
        const Word* const verb =
            last() != nullptr && (last()->folded == "de" || last()->folded == "con") ? last(2) : last();
        return verb != nullptr && std::ranges::find(verbs, verb->folded) != verbs.end();
    }

    bool is_in_stock(std::size_t steps) const {
        const Word* const in = next(steps);
        const Word* const stock = next(steps + 1);
        if (in == nullptr || stock == nullptr || !is_narrow(in->after)) return false;
        const bool is_kept = stock->folded == "stock" || stock->folded == "inventario" ||
                             stock->folded == "inventory" || stock->folded.starts_with("existencia") ||
                             stock->folded == "deposito";
        return (in->folded == "en" || in->folded == "in") && is_kept;
    }

    /// "Stock: 3", "quedan solo 3".
    bool is_after_stock() const {
        const bool is_of_products = next() != nullptr && counts_products(next()->folded);
        return !is_of_products && is_announced(announces_stock);
    }

    bool is_announced(bool (*announces)(std::string_view)) const {
        constexpr std::size_t most_fillers = 3;
        for (std::size_t steps = 1; steps <= most_fillers + 1 && last(steps) != nullptr; ++steps) {
            const std::string gap = plain_gap(words_[at_ - steps + 1].before);
            if (gap.find_first_of(".;,\n|!?") != std::string::npos) return false;
            if (announces(last(steps)->folded)) return true;
            if (!is_filler(last(steps)->folded)) return false;
        }
        return false;
    }

    bool is_percent() const {
        if (plain_gap(word().after).starts_with('%') || plain_gap(word().after).starts_with(" %")) return true;
        return next() != nullptr && (next()->folded == "percent" ||
                                     (next()->folded == "por" && next(2) != nullptr && next(2)->folded == "ciento"));
    }

    bool is_discounted() const {
        for (std::size_t steps = 1; steps <= 4; ++steps) {
            const bool is_after = next(steps) != nullptr && is_discount(next(steps)->folded);
            const bool is_before = steps <= 3 && last(steps) != nullptr && is_discount(last(steps)->folded);
            if (is_after || is_before) return true;
        }
        return word().before.ends_with('-') && !word().before.ends_with("--");
    }

    /// Stands alone in a cell of a table.
    bool is_cell() const {
        return word().before.find('|') != std::string_view::npos && word().after.find('|') != std::string_view::npos;
    }

    bool has_unit() const {
        if (!figure_.prefix.empty()) return true;  // codes are looked at elsewhere
        if (!figure_.suffix.empty()) return figure_.suffix != "k";
        constexpr double most_measured = 200;  // a quote behind more is the end of what it quotes
        const std::string gap = plain_gap(word().after);
        for (const std::string_view mark : {"\"", "”", "″", "'", "’", "°", "º", "ª", "×"}) {
            if (gap.starts_with(mark) && value_ < most_measured) return true;
        }
        if (next() == nullptr || !is_narrow(word().after)) return false;
        return is_unit(next()->folded) || (counts_products(next()->folded) && value_ < least_telling);
    }

    /// Of a date, a time, a resolution, a scale.
    bool is_part_of_more() const {
        const auto is_joint = [](std::string_view gap) { return gap == "/" || gap == ":" || gap == "×" || gap == "x"; };
        const bool is_first = next() != nullptr && next()->has_digit() && is_joint(word().after);
        const bool is_second = last() != nullptr && last()->has_digit() && is_joint(word().before);
        const bool is_size = last() != nullptr && last()->folded == "x";
        return is_first || is_second || is_size;
    }

    bool is_year() const {
        const Figure& figure = figure_.figure;
        return value_ >= 1950 && value_ < 2050 && figure.decimals == 0 && !figure.has_thousands;
    }

    /// "por 50." "at 50,"
    bool is_asked_for() const {
        if (last() == nullptr || value_ < 10) return false;
        const std::string& word_before = last()->folded;
        const bool is_preposition = word_before == "por" || word_before == "at" || word_before == "for";
        const std::string gap = plain_gap(word().after);
        return is_preposition && is_narrow(word().before) && (gap.empty() || gap.find_first_of(".,;)\n!") == 0);
    }

    /// As it stands, or joined with its neighbour, in the name of a product or in the question.
    bool is_of_a_name() const {
        const std::string own = stem(word().folded);
        return known_.has_word(own) || (last() != nullptr && known_.has_joined(stem(last()->folded) + own)) ||
               (next() != nullptr && known_.has_joined(own + stem(next()->folded)));
    }

    std::optional<std::string> fault_of_bare() const {
        if (has_unit() || is_part_of_more()) return std::nullopt;
        const bool is_score = last() != nullptr && (last()->folded == "relevancia" || last()->folded == "relevance" ||
                                                    last()->folded == "similitud" || last()->folded == "similarity");
        if (is_score) return std::nullopt;
        if (is_announced(announces_price) || is_asked_for())
            return known_.has_price(value_) ? std::nullopt : no_row("price");
        const Figure& figure = figure_.figure;
        const bool is_telling = figure.has_thousands || figure.decimals == 2 || value_ >= least_telling || is_cell();
        const bool is_known = known_.has_price(value_) || known_.has_stock(value_) || is_of_a_name() || is_year();
        return is_telling && !is_known ? no_row("figure") : std::nullopt;
    }

    const Words& words_;
    std::size_t at_;
    const KnownFacts& known_;
    FigureWord figure_ = {};
    double value_ = 0;
};

}  // namespace

bool has_currency(const Words& words, std::size_t at) {
    const bool has_factor = at + 1 < words.size() && number_word(words[at + 1].folded).value_or(0) >= 1'000;
    return has_currency_before(words, at) || has_currency_after(words, at) ||
           (has_factor && has_currency_after(words, at + 1));
}

std::optional<std::string> find_unknown_figure(const Words& words, const KnownFacts& known) {
    for (std::size_t at = 0; at < words.size(); ++at) {
        if (auto fault = Reading{words, at, known}.fault()) return fault;
    }
    return std::nullopt;
}

}  // namespace decant::chat::detail
