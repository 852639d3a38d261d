#include "chat/intent.hpp"

#include <algorithm>
#include <cctype>

#include "chat/detail/intent_words.hpp"
#include "chat/detail/phrases.hpp"
#include "chat/detail/places.hpp"
#include "core/fold_text.hpp"
#include "core/json_members.hpp"

namespace decant::chat {
namespace {

using detail::Spoken;
using search::MeaningKind;
using search::PriceWish;

constexpr std::size_t least_code = 4;
constexpr std::size_t least_barcode = 8;
constexpr std::size_t few_words = 6;

/// "NOT-0001", "7798123456789": letters and digits, or many digits.
std::vector<std::string> codes_in(std::string_view message) {
    std::vector<std::string> codes;
    for (std::size_t begin = 0; begin < message.size();) {
        const std::size_t end = std::min(message.find_first_of(" \t\r\n,;:?!()\"", begin), message.size());
        const std::string_view word = message.substr(begin, end - begin);
        const auto count = [&](int (*is)(int)) {
            return static_cast<std::size_t>(
                std::ranges::count_if(word, [is](unsigned char c) { return c < 0x80 && is(c) != 0; }));
        };
        const std::size_t digits = count(std::isdigit);
        const bool is_sku = digits > 0 && count(std::isalpha) > 0 && word.size() >= least_code;
        if ((is_sku || digits >= least_barcode) && word.size() <= 100) codes.emplace_back(word);
        begin = end + 1;
    }
    return codes;
}

/// "productos de menos de 8": a small number alone may be anything, but not where only products are spoken of.
std::string with_currency(std::string_view message, const search::Vocabulary& vocabulary) {
    const Spoken spoken{message};
    const std::vector<std::string_view> words = spoken.words();
    const bool ends_in_number =
        !words.empty() && words.back().find_first_not_of("0123456789.,") == std::string_view::npos;
    const bool is_unclear = ends_in_number && spoken.has_any(detail::any_product) &&
                            search::understand(message, vocabulary).meanings.empty();
    return is_unclear ? std::string{message.substr(0, message.find_last_of("0123456789") + 1)} + " dolares"
                      : std::string{message};
}

class Reader {
public:
    Reader(std::string message, const search::Vocabulary& vocabulary, const Said& said)
        : message_(std::move(message)),
          said_(said),
          spoken_(message_),
          understood_(search::understand(message_, vocabulary)) {
        take_understood();
    }

    Intent run() {
        if (spoken_.has_any(detail::human_phrases)) return settle(Act::human, IntentKind::other);
        if (is_social()) return std::move(out_);
        if (spoken_.is_empty() || is_forbidden()) return settle(Act::off_topic, IntentKind::other);
        if (is_of_service()) return settle(Act::service, IntentKind::other);
        if (reads_comparison() || reads_catalog() || reads_more() || reads_reference()) return std::move(out_);
        if (is_foreign()) return settle(Act::off_topic, IntentKind::other);
        if (reads_naming()) return std::move(out_);
        read_search();
        return std::move(out_);
    }

private:
    void take_understood() {
        names_left_ = spoken_;
        for (const search::Meaning& meaning : understood_.meanings) {
            const Spoken words{meaning.text};
            if (!words.is_empty()) names_left_.drop(words.text().substr(1, words.text().size() - 2));
            if (meaning.kind == MeaningKind::brand) out_.brand_words = meaning.text;
        }
        rest_ = names_left_;
        rest_.drop(detail::search_phrases);
        rest_.drop(detail::fillers);
        if (!understood_.subcategories.empty())
            out_.category = understood_.subcategories.name;
        else if (!understood_.categories.empty())
            out_.category = understood_.categories.name;
        if (!understood_.brands.empty()) out_.brand = understood_.brands.name;
        out_.price_min = understood_.min_price;
        out_.price_max = understood_.max_price;
        out_.in_stock = understood_.in_stock;
        out_.wants_stock_info = understood_.in_stock || spoken_.has("stock") || spoken_.has_any(detail::stock_phrases);
        out_.wants_featured = understood_.featured;
        out_.wants_sale = understood_.on_sale;
        out_.wish = understood_.wish;
        out_.codes = codes_in(message_);
        out_.search_terms = understood_.text;
    }

    bool has_thing() const { return out_.category.has_value(); }
    bool has_price_or_mark() const {
        return out_.price_min || out_.price_max || out_.wants_sale || out_.wants_featured;
    }
    bool has_condition() const { return has_price_or_mark() || out_.in_stock; }
    bool is_about_catalog() const {
        return has_thing() || out_.brand || has_condition() || out_.wish != PriceWish::none ||
               spoken_.has_any(detail::search_phrases);
    }

    Intent settle(Act act, IntentKind kind) {
        out_.act = act;
        out_.kind = kind;
        return std::move(out_);
    }
    bool decide(Act act, IntentKind kind) {
        out_.act = act;
        out_.kind = kind;
        return true;
    }

    /// Nothing but greetings, thanks, goodbyes and what goes with them.
    bool is_social() {
        Spoken left = spoken_;
        for (const std::string_view list : {detail::greetings, detail::thanks, detail::goodbyes, detail::small_talk})
            left.drop(list);
        if (!left.is_empty() || spoken_.is_empty()) {
            if (!is_about_catalog() && spoken_.has_any(detail::help_phrases))
                return decide(Act::help, IntentKind::other);
            return false;
        }
        if (spoken_.has_any(detail::goodbyes)) return decide(Act::part, IntentKind::other);
        if (spoken_.has_any(detail::thanks)) return decide(Act::thank, IntentKind::other);
        if (spoken_.has_any(detail::greetings)) return decide(Act::greet, IntentKind::greeting);
        return decide(Act::help, IntentKind::other);
    }

    /// Asks for the assistant's own instructions or secrets, or gives it orders.
    bool is_forbidden() const {
        return !has_thing() && !out_.brand &&
               (spoken_.has_any(detail::order_phrases) || spoken_.has_any(detail::secret_phrases));
    }

    bool is_of_service() const { return !has_thing() && !out_.brand && spoken_.has_any(detail::service_phrases); }

    bool reads_comparison() {
        if (!spoken_.has_any(detail::compare_phrases)) return false;
        out_.chosen = detail::places_in(spoken_, said_.shown);
        if (said_.shown == 0 && !out_.chosen.empty()) return decide(Act::unsettled, IntentKind::other);
        if (out_.chosen.size() < 2) name_both_sides();
        if (out_.named.empty() && out_.chosen.size() < 2) {
            if (said_.shown < 2) return decide(Act::unsettled, IntentKind::other);
            out_.chosen = {0, 1};
        }
        return decide(Act::compare, IntentKind::get_product_details);
    }

    /// "X vs Y", "compará X con Y"; one name alone where there is no second.
    void name_both_sides() {
        Spoken left = spoken_;
        if (!left.has_any(detail::versus)) left.drop(detail::compare_phrases);
        const std::string_view text = left.text();
        for (const std::string_view divider : detail::items_of(detail::dividers)) {
            const std::string wanted = " " + std::string{divider} + " ";
            const std::size_t at = text.find(wanted, 1);
            if (at == std::string_view::npos) continue;
            name_side(text.substr(0, at));
            name_side(text.substr(at + wanted.size()));
            return;
        }
        name_side(text);
    }

    void name_side(std::string_view side) {
        Spoken name{side};
        for (const std::string_view list : {detail::compare_phrases, detail::pronouns, detail::fillers})
            name.drop(list);
        if (!name.is_empty()) out_.named.push_back(name.text().substr(1, name.text().size() - 2));
    }

    bool reads_catalog() {
        if (has_thing() || out_.brand || has_price_or_mark() || out_.wish != PriceWish::none) return false;
        if (!spoken_.has_any(detail::catalog_phrases)) return false;
        Spoken left = spoken_;
        for (const std::string_view list :
             {detail::catalog_phrases, detail::greetings, detail::search_phrases, detail::fillers})
            left.drop(list);
        return left.is_empty() && decide(Act::catalog, IntentKind::show_general_catalog);
    }

    bool reads_more() {
        if (!said_.has_request || has_thing() || out_.brand || has_price_or_mark()) return false;
        // "más de esa" asks for another thing.
        if (spoken_.has_any(detail::pronouns_of_one)) return false;
        Spoken left = spoken_;
        left.drop(detail::more_phrases);
        if (left.text() == spoken_.text()) return false;
        left.drop(detail::search_phrases);
        left.drop(detail::fillers);
        return left.is_empty() && decide(Act::more, IntentKind::search_specific_products);
    }

    /// "la segunda", "it", "la más barata": of what was shown.
    bool reads_reference() {
        Spoken left = spoken_;
        left.drop(detail::cheapest_phrases);
        const bool is_cheapest = left.text() != spoken_.text();
        Spoken dear = left;
        dear.drop(detail::dearest_phrases);
        const bool is_dearest = dear.text() != left.text();
        const std::vector<std::size_t> places = detail::places_in(spoken_, said_.shown);
        const bool is_pronoun = spoken_.has_any(detail::pronouns) && rest_without_questions().is_empty();
        const bool searches_thing = has_thing() && spoken_.has_any(detail::search_phrases);
        if (searches_thing) return false;
        if (said_.shown == 0) {
            const bool is_meant = !has_thing() && !out_.brand && spoken_.words().size() <= few_words;
            return is_meant && !places.empty() && decide(Act::unsettled, IntentKind::other);
        }
        if (!places.empty()) {
            out_.chosen = places;
        } else if (!has_thing() && !out_.brand && (is_cheapest || is_dearest)) {
            out_.picks = is_cheapest ? PriceWish::cheap : PriceWish::expensive;
        } else if (!is_pronoun || has_thing() || out_.brand) {
            return false;
        }
        return decide(out_.wants_stock_info ? Act::stock : Act::details, IntentKind::get_product_details);
    }

    Spoken rest_without_questions() const {
        Spoken left = rest_;
        for (const std::string_view list : {detail::detail_phrases, detail::stock_phrases, detail::pronouns})
            left.drop(list);
        left.drop(detail::fillers);
        return left;
    }

    /// "contame del ThinkPad T14", "¿hay stock del ThinkPad T14?"
    bool reads_naming() {
        const bool wants_details = spoken_.has_any(detail::detail_phrases);
        if (!wants_details && !out_.wants_stock_info) return false;
        if (rest_without_questions().is_empty() || (out_.wants_stock_info && !wants_details && out_.price_max))
            return false;
        Spoken name = spoken_;
        for (const std::string_view list :
             {detail::detail_phrases, detail::stock_phrases, detail::search_phrases, detail::fillers})
            name.drop(list);
        if (name.is_empty()) return false;
        out_.named = {name.text().substr(1, name.text().size() - 2)};
        out_.specific_product = out_.named.front();
        return decide(out_.wants_stock_info ? Act::stock : Act::details, IntentKind::get_product_details);
    }

    /// A question about the world.
    bool is_foreign() const {
        return !is_about_catalog() && out_.codes.empty() && spoken_.has_any(detail::foreign_phrases);
    }

    void read_search() {
        out_.act = Act::search;
        const bool has_words = !rest_.is_empty();
        const bool continues = spoken_.has_any(detail::continuing) && spoken_.words().size() <= 2 * few_words;
        const bool is_new = spoken_.has_any(detail::any_product) && out_.wish == PriceWish::none;
        const bool is_bare = !has_words && (out_.brand || has_condition() || out_.wish != PriceWish::none);
        out_.refines = said_.has_request && !is_new && !has_thing() && (is_bare || (continues && has_words));
        if (is_bare && !has_thing() && !out_.brand && !out_.refines) out_.act = Act::browse;
        if (has_words && !out_.refines)
            out_.kind = IntentKind::search_specific_products;
        else if (out_.brand)
            out_.kind = IntentKind::search_by_brand;
        else if (has_thing())
            out_.kind = IntentKind::search_by_category;
        else if (out_.price_min || out_.price_max || out_.wish != PriceWish::none)
            out_.kind = IntentKind::search_by_price;
    }

    std::string message_;
    const Said& said_;
    Spoken spoken_;
    search::Understood understood_;
    Spoken names_left_{""};
    Spoken rest_{""};  ///< without names, prices, marks and words that say nothing
    Intent out_;
};

}  // namespace

Intent read_intent(std::string_view message, const search::Vocabulary& vocabulary, const Said& said) {
    return Reader{with_currency(message, vocabulary), vocabulary, said}.run();
}

json::object json_of(const Intent& intent) {
    return {{"intent", intent_names[intent.kind]},
            {"search_terms", intent.search_terms},
            {"category", or_null(intent.category)},
            {"brand", or_null(intent.brand)},
            {"price_min", or_null(intent.price_min)},
            {"price_max", or_null(intent.price_max)},
            {"specific_product", or_null(intent.specific_product)},
            {"wants_stock_info", intent.wants_stock_info},
            {"wants_featured", intent.wants_featured},
            {"wants_sale", intent.wants_sale}};
}

}  // namespace decant::chat
