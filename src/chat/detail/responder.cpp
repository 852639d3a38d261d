#include "chat/detail/responder.hpp"

#include <algorithm>
#include <cmath>

#include "chat/answer_text.hpp"
#include "chat/detail/phrases.hpp"
#include "chat/detail/search_log.hpp"

namespace decant::chat::detail {
namespace {

using search::Hit;
using search::PriceWish;

constexpr std::uint64_t most_nearest = 3;
constexpr std::uint64_t named_candidates = 5;
constexpr double cent = 0.01;

/// Words by which the search understands a wish, in any language.
constexpr std::string_view cheap_word = "barato";
constexpr std::string_view dear_word = "gama alta";

std::vector<std::string> ids_of(const std::vector<Hit>& hits) {
    std::vector<std::string> ids;
    for (const Hit& hit : hits)
        ids.push_back(hit.id);
    return ids;
}

std::vector<Hit> hits_of(const std::vector<ProductFacts>& products) {
    std::vector<Hit> hits;
    for (const ProductFacts& product : products)
        hits.push_back(product.hit);
    return hits;
}

/// All words of a name that was said are in the product's, its brand or its model.
bool is_called(const Hit& hit, const std::string& name) {
    const Spoken product{hit.name + " " + hit.brand + " " + hit.model + " " + hit.sku};
    const Spoken said{name};
    const std::vector<std::string_view> words = said.words();
    return !words.empty() && std::ranges::all_of(words, [&](std::string_view word) { return product.has(word); });
}

search::Filter filter_of(const LastRequest& request) {
    return {.min_price = request.min_price,
            .max_price = request.max_price,
            .in_stock = request.in_stock,
            .featured = request.featured,
            .on_sale = request.on_sale};
}

/// The text without a phrase of it.
std::string without(std::string text, const std::string& phrase) {
    const std::size_t at = phrase.empty() ? std::string::npos : text.find(phrase);
    if (at != std::string::npos) text.erase(at, phrase.size());
    return text;
}

std::string joined(const std::string& text, std::string_view more) {
    if (text.empty() || more.empty()) return text + std::string{more};
    return text + " " + std::string{more};
}

LastRequest request_of(const Intent& intent) {
    return {.text = intent.search_terms,
            .brand_words = intent.brand_words,
            .min_price = intent.price_min,
            .max_price = intent.price_max,
            .in_stock = intent.in_stock,
            .on_sale = intent.wants_sale,
            .featured = intent.wants_featured};
}

/// What is said now goes before what was said.
LastRequest merged(const LastRequest& last, const Intent& intent) {
    LastRequest next = last;
    next.offset = 0;
    if (intent.brand) {
        next.text = joined(without(last.text, last.brand_words), intent.brand_words);
        next.brand_words = intent.brand_words;
    } else if (intent.wish == PriceWish::none && !intent.price_min && !intent.price_max && !intent.in_stock &&
               !intent.wants_sale && !intent.wants_featured) {
        next.text = joined(last.text, intent.search_terms);
    }
    if (intent.price_min) next.min_price = intent.price_min;
    if (intent.price_max) next.max_price = intent.price_max;
    if (next.min_price && next.max_price && *next.min_price > *next.max_price)
        (intent.price_min ? next.max_price : next.min_price).reset();
    next.in_stock |= intent.in_stock;
    next.on_sale |= intent.wants_sale;
    next.featured |= intent.wants_featured;
    return next;
}

}  // namespace

Draft Responder::respond(const Intent& intent, std::string_view message) {
    switch (intent.act) {
        case Act::search:
            return intent.refines ? refine(intent) : search(intent, message);
        case Act::browse:
            return browse(intent);
        case Act::more:
            return more();
        case Act::details:
            return details(intent, message);
        case Act::stock:
            return stock(intent, message);
        case Act::compare:
            return compare(intent);
        case Act::catalog:
            return catalog();
        default:
            return {.text = social_text(intent.act, language_)};
    }
}

search::Answer Responder::ask(search::Request request) {
    if (!request.strategy) request.strategy = options_.strategy;
    search::EngineOptions attempted = engine_.options();
    attempted.strategy = request.strategy.value_or(attempted.strategy);
    log_attempt(attempted, options_.log_level);
    search::Answer answer = answer_to(request);
    log_outcome(answer, options_.log_level);
    searched_ = answer;
    return answer;
}

search::Answer Responder::answer_to(const search::Request& request) {
    return options_.ask ? options_.ask(request) : engine_.search(request);
}

Draft Responder::search(const Intent& intent, std::string_view message) {
    if (Draft exact = by_code(intent); !exact.text.empty()) return exact;
    // The search reads the message by itself, so that what it takes for a filter can be let go again.
    const std::string text = intent.is_of_llm ? intent.search_terms : std::string{message};
    search::Request asked{.text = text,
                          .filter = {.min_price = intent.price_min, .max_price = intent.price_max},
                          .limit = options_.candidates};
    if (intent.is_of_llm) asked.filter = filter_of(request_of(intent));
    return show(intent, request_of(intent), std::move(asked));
}

Draft Responder::by_code(const Intent& intent) {
    const std::vector<std::string> ids = find_codes(db_, intent.codes);
    if (ids.empty()) return {};
    const std::vector<ProductFacts> products = read_products(db_, ids);
    return intent.wants_stock_info ? stock_of(products) : about(products);
}

Draft Responder::refine(const Intent& intent) {
    LastRequest next = merged(*memory_.request, intent);
    if (intent.wish != PriceWish::none && !memory_.shown.empty()) {
        // "¿y más barata?" is said of the one product that was talked of last, else of all that were shown.
        const Hit bound = extreme_of(memory_.focus.size() == 1 ? memory_.focus : memory_.shown, intent.wish);
        const bool is_cheap = intent.wish == PriceWish::cheap;
        if (is_cheap && bound.price <= cent) return {.text = no_other_price_text(intent.wish, bound, language_)};
        if (is_cheap)
            next.max_price = bound.price - cent;
        else
            next.min_price = bound.price + cent;
        if (next.min_price && next.max_price && *next.min_price > *next.max_price)
            (is_cheap ? next.min_price : next.max_price).reset();
        search::Request asked{.text = joined(next.text, is_cheap ? cheap_word : dear_word),
                              .filter = filter_of(next),
                              .limit = options_.candidates};
        const search::Answer answer = ask(asked);
        if (answer.hits.empty() || answer.drops_names)
            return {.text = no_other_price_text(intent.wish, bound, language_),
                    .products = {bound},
                    .strategy_used = answer.used};
        memory_.request = next;
        Draft draft = found(intent, answer.hits, false);
        draft.strategy_used = answer.used;
        draft.degraded = answer.degraded;
        return draft;
    }
    if (next.text.empty()) {
        memory_.request = next;
        return browse(intent);
    }
    search::Request asked{.text = next.text, .filter = filter_of(next), .limit = options_.candidates};
    return show(intent, next, std::move(asked));
}

Draft Responder::show(const Intent& intent, const LastRequest& request, search::Request asked) {
    const search::Answer answer = ask(asked);
    Draft draft =
        answer.hits.empty() ? nothing(request, answer, asked) : found(intent, answer.hits, answer.drops_names);
    if (!answer.hits.empty()) {
        memory_.request = request;
        memory_.request->offset = asked.offset;
    }
    draft.strategy_used = answer.used;
    draft.degraded = answer.degraded;
    draft.reason = answer.reason;
    return draft;
}

Draft Responder::found(const Intent& intent, std::vector<Hit> hits, bool drops_names) {
    const bool has_more = hits.size() > options_.shown;
    hits.resize(std::min<std::size_t>(hits.size(), options_.shown));
    memory_.shown = ids_of(hits);
    memory_.focus.clear();
    if (hits.size() == 1) memory_.focus = memory_.shown;
    const std::uint64_t offset = intent.act == Act::more && memory_.request ? memory_.request->offset : 0;
    std::string text = found_text(
        {.products = hits, .intent = intent, .offset = offset, .has_more = has_more, .drops_names = drops_names},
        language_);
    return {.text = std::move(text), .products = std::move(hits), .may_be_reworded = true};
}

Draft Responder::nothing(const LastRequest& request, const search::Answer& answer, const search::Request& asked) {
    std::vector<Hit> nearest;
    if (answer.diagnosis && answer.diagnosis->best_similarity) {
        search::Request wider = asked;
        wider.limit = most_nearest;
        wider.threshold = -1;
        wider.strategy = search::Strategy::pgvector;
        nearest = answer_to(wider).hits;
    }
    if (!nearest.empty()) memory_.shown = ids_of(nearest);
    const search::Diagnosis* diagnosis = answer.diagnosis ? &*answer.diagnosis : nullptr;
    std::string text = nothing_text({.nearest = nearest,
                                     .terms = request.text,
                                     .diagnosis = diagnosis,
                                     .had_prices = request.min_price || request.max_price},
                                    language_);
    return {.text = std::move(text), .products = std::move(nearest)};
}

Draft Responder::browse(const Intent& intent) {
    LastRequest request = intent.refines && memory_.request ? *memory_.request : request_of(intent);
    request.text.clear();
    std::vector<Hit> hits = chat::browse(db_, filter_of(request), options_.candidates, 0);
    memory_.request = request;
    Draft draft = hits.empty()
                      ? Draft{.text = nothing_text({.nearest = {}, .terms = {}, .had_prices = true}, language_)}
                      : found(intent, std::move(hits), false);
    draft.strategy_used = "catalog";
    return draft;
}

Draft Responder::more() {
    LastRequest next = *memory_.request;
    next.offset += options_.shown;
    Intent intent{.act = Act::more};
    if (next.text.empty()) {
        std::vector<Hit> hits = chat::browse(db_, filter_of(next), options_.candidates, next.offset);
        if (hits.empty()) return {.text = no_more_text(language_), .strategy_used = "catalog"};
        memory_.request = next;
        Draft draft = found(intent, std::move(hits), false);
        draft.strategy_used = "catalog";
        return draft;
    }
    const search::Answer answer =
        ask({.text = next.text, .filter = filter_of(next), .limit = options_.candidates, .offset = next.offset});
    if (answer.hits.empty()) return {.text = no_more_text(language_), .strategy_used = answer.used};
    memory_.request = next;
    Draft draft = found(intent, answer.hits, false);
    draft.strategy_used = answer.used;
    draft.degraded = answer.degraded;
    return draft;
}

/// What "la segunda", "esa" or "la más barata" is.
std::vector<std::string> Responder::meant(const Intent& intent) {
    if (intent.picks != PriceWish::none) return {extreme_of(memory_.shown, intent.picks).id};
    std::vector<std::string> ids;
    for (const std::size_t place : intent.chosen)
        if (place < memory_.shown.size()) ids.push_back(memory_.shown[place]);
    if (!ids.empty()) return ids;
    if (!memory_.focus.empty()) return memory_.focus;
    if (intent.act == Act::stock) return memory_.shown;
    return {memory_.shown.begin(), memory_.shown.begin() + (memory_.shown.empty() ? 0 : 1)};
}

Hit Responder::extreme_of(const std::vector<std::string>& ids, PriceWish wish) {
    const std::vector<Hit> hits = hits_of(read_products(db_, ids));
    if (hits.empty()) return {};
    return wish == PriceWish::cheap ? *std::ranges::min_element(hits, {}, &Hit::price)
                                    : *std::ranges::max_element(hits, {}, &Hit::price);
}

/// Among what was shown before all others.
std::optional<std::string> Responder::find_named(const std::string& name) {
    for (const ProductFacts& product : read_products(db_, memory_.shown))
        if (is_called(product.hit, name)) return product.hit.id;
    for (const Hit& hit : answer_to({.text = name, .limit = named_candidates, .literal = true}).hits)
        if (is_called(hit, name)) return hit.id;
    return std::nullopt;
}

Draft Responder::about(const std::vector<ProductFacts>& products) {
    if (products.empty()) return {.text = gone_text(language_), .strategy_used = "catalog"};
    std::vector<Hit> hits = hits_of(products);
    memory_.focus = ids_of(hits);
    if (memory_.shown.empty()) memory_.shown = memory_.focus;
    return {.text = details_text(products, language_),
            .products = std::move(hits),
            .strategy_used = "catalog",
            .may_be_reworded = true};
}

Draft Responder::stock_of(const std::vector<ProductFacts>& products) {
    if (products.empty()) return {.text = gone_text(language_), .strategy_used = "catalog"};
    std::vector<Hit> hits = hits_of(products);
    memory_.focus = ids_of(hits);
    if (memory_.shown.empty()) memory_.shown = memory_.focus;
    return {.text = stock_text(hits, language_), .products = std::move(hits), .strategy_used = "catalog"};
}

Draft Responder::details(const Intent& intent, std::string_view message) {
    if (intent.named.empty()) return about(read_products(db_, meant(intent)));
    if (Draft exact = by_code(intent); !exact.text.empty()) return exact;
    if (const auto id = find_named(intent.named.front())) return about(read_products(db_, {&*id, 1}));
    return search(intent, message);
}

Draft Responder::stock(const Intent& intent, std::string_view message) {
    if (intent.named.empty()) return stock_of(read_products(db_, meant(intent)));
    if (Draft exact = by_code(intent); !exact.text.empty()) return exact;
    if (const auto id = find_named(intent.named.front())) return stock_of(read_products(db_, {&*id, 1}));
    return search(intent, message);
}

Draft Responder::compare(const Intent& intent) {
    std::vector<std::string> ids;
    for (const std::size_t place : intent.chosen)
        if (place < memory_.shown.size()) ids.push_back(memory_.shown[place]);
    for (const std::string& name : intent.named) {
        if (ids.size() == 2) break;
        const std::vector<std::string> by_sku = find_codes(db_, {&name, 1});
        const std::optional<std::string> id = by_sku.empty() ? find_named(name) : by_sku.front();
        if (!id) return {.text = no_comparison_text(name, language_), .strategy_used = "catalog"};
        if (std::ranges::find(ids, *id) == ids.end()) ids.push_back(*id);
    }
    ids.resize(std::min<std::size_t>(ids.size(), 3));
    const std::vector<ProductFacts> products = read_products(db_, ids);
    if (products.size() < 2) return {.text = no_comparison_text({}, language_), .strategy_used = "catalog"};
    std::vector<Hit> hits = hits_of(products);
    memory_.focus = ids_of(hits);
    if (memory_.shown.empty()) memory_.shown = memory_.focus;
    return {.text = comparison_text(products, language_), .products = std::move(hits), .strategy_used = "catalog"};
}

Draft Responder::catalog() {
    Overview overview = read_overview(db_, static_cast<std::size_t>(most_nearest));
    if (!overview.featured.empty()) memory_.shown = ids_of(overview.featured);
    return {.text = overview_text(overview, language_),
            .products = std::move(overview.featured),
            .strategy_used = "catalog"};
}

}  // namespace decant::chat::detail
