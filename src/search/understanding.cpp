#include "search/understanding.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "search/detail/condition_phrases.hpp"
#include "search/detail/name_reading.hpp"
#include "search/detail/price_phrases.hpp"

namespace decant::search {
namespace {

class Reading {
public:
    Reading(std::string_view question, const Vocabulary& vocabulary)
        : question_(question), tokens_(detail::tokens_of(question)), vocabulary_(vocabulary) {}

    Understood run() {
        for (std::size_t at = 0; at < tokens_.size(); ++at)
            if (!tokens_[at].is_used) read_condition(at);
        drop_courtesies();
        drop_opening();
        drop_joints();
        detail::read_names(tokens_, vocabulary_, out_);
        out_.text = rest();
        return std::move(out_);
    }

private:
    void use(std::size_t at, std::size_t count) {
        for (std::size_t i = at; i < at + count; ++i)
            tokens_[i].is_used = true;
    }

    void mean(MeaningKind kind, std::size_t at, std::size_t count, std::string value) {
        out_.meanings.push_back({.kind = kind, .text = detail::text_of(tokens_, at, count), .value = std::move(value)});
    }

    void read_condition(std::size_t at) {
        if (const auto price = detail::price_phrase(tokens_, at)) return take_price(at, *price);
        if (const auto found = detail::condition_phrase(tokens_, at)) take_condition(at, *found);
    }

    void take_price(std::size_t at, const detail::PricePhrase& price) {
        const bool contradicts = (price.from && out_.max_price && *price.from > *out_.max_price) ||
                                 (price.to && out_.min_price && *price.to < *out_.min_price);
        if (contradicts) return;
        if (price.from) {
            out_.min_price = price.from;
            mean(MeaningKind::min_price, at, price.length, fmt::format("{}", *price.from));
        }
        if (price.to) {
            out_.max_price = price.to;
            mean(MeaningKind::max_price, at, price.length, fmt::format("{}", *price.to));
        }
        use(at - price.lead_in, price.lead_in + price.length);
    }

    void take_condition(std::size_t at, const detail::ConditionPhrase& found) {
        switch (found.condition) {
            case detail::Condition::stock:
                take_stock(at, found.length);
                break;
            case detail::Condition::sale:
                take_sale(at, found.length);
                break;
            case detail::Condition::featured:
                take_featured(at, found.length);
                break;
            case detail::Condition::cheap:
                take_wish(PriceWish::cheap, at, found.length);
                break;
            case detail::Condition::expensive:
                take_wish(PriceWish::expensive, at, found.length);
                break;
        }
        if (!found.stays) use(at - found.lead_in, found.lead_in + found.length);
    }

    void take_stock(std::size_t at, std::size_t length) {
        out_.in_stock = true;
        mean(MeaningKind::stock, at, length, "in stock");
    }

    /// Where nothing is marked as an offer, a low price is what is left of the wish.
    void take_sale(std::size_t at, std::size_t length) {
        if (!vocabulary_.marks_sale) return take_wish(PriceWish::cheap, at, length);
        out_.on_sale = true;
        mean(MeaningKind::sale, at, length, "on sale");
    }

    void take_featured(std::size_t at, std::size_t length) {
        if (!vocabulary_.marks_featured) return;
        out_.featured = true;
        mean(MeaningKind::featured, at, length, "featured");
    }

    void take_wish(PriceWish wish, std::size_t at, std::size_t length) {
        out_.wish = out_.wish == PriceWish::none || out_.wish == wish ? wish : PriceWish::none;
        mean(MeaningKind::price_wish, at, length, wish == PriceWish::cheap ? "cheap" : "expensive");
    }

    void drop_courtesies() {
        for (std::size_t at = 0; at < tokens_.size(); ++at)
            if (const std::size_t words = detail::courtesy_phrase(tokens_, at)) use(at, words);
    }

    void drop_opening() {
        for (std::size_t at = 0; at < tokens_.size();) {
            if (tokens_[at].is_used) {
                ++at;
                continue;
            }
            const std::size_t words = detail::opening_phrase(tokens_, at);
            if (words == 0) return;
            if (detail::asks_for_stock(tokens_, at)) take_stock(at, words);
            use(at, words);
            at += words;
        }
    }

    /// As it was written where nothing was taken out of it.
    std::string rest() const {
        const bool is_whole = std::ranges::none_of(tokens_, &detail::Token::is_used);
        const bool is_nothing = std::ranges::all_of(tokens_, &detail::Token::is_used) && out_.meanings.empty();
        return is_whole || is_nothing ? std::string{question_} : detail::unused_text(tokens_);
    }

    /// Words that are left hanging by what was understood after them, and those that what is left would begin with.
    void drop_joints() {
        for (std::size_t at = tokens_.size(); at > 1; --at)
            if (tokens_[at - 1].is_used && hangs(at - 2)) tokens_[at - 2].is_used = true;
        bool is_beginning = true;
        for (std::size_t at = 1; at < tokens_.size(); ++at) {
            is_beginning = is_beginning && tokens_[at - 1].is_used;
            const bool is_and = detail::is_and(tokens_[at].folded);
            if (tokens_[at - 1].is_used && hangs(at) && (is_beginning || is_and)) tokens_[at].is_used = true;
        }
    }

    bool hangs(std::size_t at) const {
        return detail::is_joint(tokens_[at].folded) && !detail::is_joined(tokens_[at].before) &&
               !detail::is_joined(tokens_[at].after);
    }

    std::string_view question_;
    detail::Tokens tokens_;
    const Vocabulary& vocabulary_;
    Understood out_;
};

}  // namespace

Understood understand(std::string_view question, const Vocabulary& vocabulary) {
    return Reading{question, vocabulary}.run();
}

void forget(Understood& understood, MeaningKind kind) {
    std::erase_if(understood.meanings, [&](const Meaning& meaning) { return meaning.kind == kind; });
    switch (kind) {
        case MeaningKind::category:
            understood.categories = {};
            break;
        case MeaningKind::subcategory:
            understood.subcategories = {};
            break;
        case MeaningKind::brand:
            understood.brands = {};
            break;
        case MeaningKind::min_price:
            understood.min_price.reset();
            break;
        case MeaningKind::max_price:
            understood.max_price.reset();
            break;
        case MeaningKind::stock:
            understood.in_stock = false;
            break;
        case MeaningKind::sale:
            understood.on_sale = false;
            break;
        case MeaningKind::featured:
            understood.featured = false;
            break;
        case MeaningKind::price_wish:
            understood.wish = PriceWish::none;
            break;
    }
}

Filter merged(const Filter& given, const Understood& understood) {
    Filter filter = given;
    const bool has_thing =
        given.category || given.subcategory || !given.categories.empty() || !given.subcategories.empty();
    if (!has_thing) {
        if (understood.subcategories.empty())
            filter.categories = understood.categories;
        else
            filter.subcategories = understood.subcategories;
    }
    if (!given.brand && given.brands.empty()) filter.brands = understood.brands;
    if (!given.min_price && understood.min_price &&
        *understood.min_price <= given.max_price.value_or(*understood.min_price))
        filter.min_price = understood.min_price;
    if (!given.max_price && understood.max_price &&
        *understood.max_price >= given.min_price.value_or(*understood.max_price))
        filter.max_price = understood.max_price;
    filter.in_stock = given.in_stock || understood.in_stock;
    filter.on_sale = given.on_sale || understood.on_sale;
    filter.featured = given.featured || understood.featured;
    return filter;
}

}  // namespace decant::search
