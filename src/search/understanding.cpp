#include "search/understanding.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/fold_text.hpp"
#include "search/detail/price_phrases.hpp"

namespace decant::search {
namespace {

using detail::match;
using detail::match_any;
using detail::Token;
using Words = std::string_view;

constexpr std::array stock_words{Words{"en stock"},
                                 Words{"con stock"},
                                 Words{"hay stock"},
                                 Words{"in stock"},
                                 Words{"que haya en stock"},
                                 Words{"disponible"},
                                 Words{"disponibles"},
                                 Words{"available"},
                                 Words{"que haya stock"},
                                 Words{"que tengan stock"},
                                 Words{"con disponibilidad"},
                                 Words{"available now"},
                                 Words{"para entrega inmediata"}};
constexpr std::array sale_words{
    Words{"en oferta"},     Words{"de oferta"},  Words{"ofertas"},       Words{"oferta"},   Words{"rebajado"},
    Words{"rebajados"},     Words{"rebajada"},   Words{"rebajadas"},     Words{"on sale"},  Words{"con descuento"},
    Words{"descuento"},     Words{"descuentos"}, Words{"en promocion"},  Words{"en promo"}, Words{"discounted"},
    Words{"with discount"}, Words{"en rebaja"},  Words{"en liquidacion"}};
constexpr std::array featured_words{Words{"destacado"}, Words{"destacados"}, Words{"destacada"}, Words{"destacadas"},
                                    Words{"featured"}};
constexpr std::array cheap_words{
    Words{"barato"},      Words{"baratos"},    Words{"barata"},      Words{"baratas"},      Words{"economico"},
    Words{"economicos"},  Words{"economica"},  Words{"economicas"},  Words{"cheap"},        Words{"cheapest"},
    Words{"mas barato"},  Words{"mas barata"}, Words{"mas baratos"}, Words{"mas baratas"},  Words{"affordable"},
    Words{"inexpensive"}, Words{"low cost"},   Words{"budget"},      Words{"bajo costo"},   Words{"bajo precio"},
    Words{"buen precio"}, Words{"accesible"},  Words{"accesibles"},  Words{"a buen precio"}};
constexpr std::array expensive_words{Words{"mas caro"},  Words{"mas cara"},       Words{"mas caros"},
                                     Words{"mas caras"}, Words{"most expensive"}, Words{"expensive"}};
/// What a question starts with and that is not looked for.
constexpr std::array opening_words{Words{"quiero"},
                                   Words{"quisiera"},
                                   Words{"busco"},
                                   Words{"necesito"},
                                   Words{"estoy buscando"},
                                   Words{"ando buscando"},
                                   Words{"me recomendas"},
                                   Words{"me recomiendas"},
                                   Words{"recomendame"},
                                   Words{"recomiendame"},
                                   Words{"mostrame"},
                                   Words{"muestrame"},
                                   Words{"dame"},
                                   Words{"tenes"},
                                   Words{"tienen"},
                                   Words{"tienes"},
                                   Words{"hay"},
                                   Words{"venden"},
                                   Words{"comprar"},
                                   Words{"quiero comprar"},
                                   Words{"me gustaria"},
                                   Words{"show me"},
                                   Words{"i want"},
                                   Words{"i need"},
                                   Words{"looking for"},
                                   Words{"i am looking for"},
                                   Words{"i m looking for"},
                                   Words{"find me"},
                                   Words{"find"},
                                   Words{"give me"},
                                   Words{"do you have"},
                                   Words{"recommend"},
                                   Words{"recommend me"},
                                   Words{"buy"},
                                   Words{"search for"},
                                   Words{"hola"},
                                   Words{"hello"},
                                   Words{"hi"},
                                   Words{"por favor"},
                                   Words{"please"},
                                   Words{"un"},
                                   Words{"una"},
                                   Words{"unos"},
                                   Words{"unas"},
                                   Words{"algun"},
                                   Words{"alguna"},
                                   Words{"algunos"},
                                   Words{"algunas"},
                                   Words{"el"},
                                   Words{"la"},
                                   Words{"los"},
                                   Words{"las"},
                                   Words{"a"},
                                   Words{"an"},
                                   Words{"the"},
                                   Words{"some"},
                                   Words{"any"},
                                   Words{"me"},
                                   Words{"to buy"},
                                   Words{"ver"},
                                   Words{"productos"},
                                   Words{"products"},
                                   Words{"algo"},
                                   Words{"something"}};
/// Left at an end when what stood there was understood.
constexpr std::array joints{Words{"y"},      Words{"e"},       Words{"o"},      Words{"u"},       Words{"con"},
                            Words{"en"},     Words{"de"},      Words{"a"},      Words{"que"},     Words{"por"},
                            Words{"para"},   Words{"and"},     Words{"or"},     Words{"with"},    Words{"in"},
                            Words{"of"},     Words{"for"},     Words{"that"},   Words{"is"},      Words{"are"},
                            Words{"sean"},   Words{"sea"},     Words{"precio"}, Words{"precios"}, Words{"price"},
                            Words{"priced"}, Words{"cuesten"}, Words{"cueste"}, Words{"costs"}};
/// What follows is what a thing is for or has, not what it is.
constexpr std::array not_head{Words{"para"},    Words{"for"},        Words{"con"},         Words{"with"}, Words{"sin"},
                              Words{"without"}, Words{"compatible"}, Words{"compatibles"}, Words{"tipo"}};
constexpr std::array of_words{Words{"de"}, Words{"of"}, Words{"del"}};
constexpr std::array articles{Words{"un"},  Words{"una"}, Words{"el"},  Words{"la"}, Words{"los"},
                              Words{"las"}, Words{"a"},   Words{"the"}, Words{"mi"}, Words{"my"}};
/// Beside the name of a category they are what is looked for: "mouse pad", "funda notebook".
constexpr std::array accessories{Words{"pad"},       Words{"stand"},   Words{"bag"},         Words{"cover"},
                                 Words{"arm"},       Words{"cable"},   Words{"cables"},      Words{"adapter"},
                                 Words{"adaptador"}, Words{"battery"}, Words{"bateria"},     Words{"charger"},
                                 Words{"cargador"},  Words{"sleeve"},  Words{"mat"},         Words{"holder"},
                                 Words{"mount"},     Words{"soporte"}, Words{"funda"},       Words{"mochila"},
                                 Words{"bolso"},     Words{"brazo"},   Words{"base"},        Words{"repuesto"},
                                 Words{"dock"},      Words{"hub"},     Words{"protector"},   Words{"limpiador"},
                                 Words{"cleaner"},   Words{"skin"},    Words{"alfombrilla"}, Words{"mousepad"},
                                 Words{"splitter"},  Words{"vidrio"},  Words{"lampara"},     Words{"backpack"}};
/// Brands that are words of every day count only where they are written with a capital letter.
constexpr std::array common_words{
    Words{"final"},    Words{"green"}, Words{"drop"},   Words{"trust"},  Words{"sparkle"}, Words{"cherry"},
    Words{"glorious"}, Words{"first"}, Words{"master"}, Words{"power"},  Words{"super"},   Words{"air"},
    Words{"one"},      Words{"go"},    Words{"pro"},    Words{"max"},    Words{"plus"},    Words{"core"},
    Words{"edge"},     Words{"next"},  Words{"prime"},  Words{"basic"},  Words{"classic"}, Words{"star"},
    Words{"sol"},      Words{"luna"},  Words{"oro"},    Words{"casa"},   Words{"ideal"},   Words{"total"},
    Words{"best"},     Words{"essen"}, Words{"inland"}, Words{"target"}, Words{"apex"}};

bool is_in(std::string_view word, std::span<const Words> list) {
    return std::ranges::find(list, word) != list.end();
}

/// The same for singular and plural of Spanish and English: no word, only a key.
std::string key_of(std::string_view folded) {
    std::string key{folded};
    if (key.size() <= 3) return key;
    if (key.ends_with("ies")) return key.substr(0, key.size() - 3) + "y";
    if (key.ends_with('s')) key.pop_back();
    if (key.size() > 3 && key.ends_with('e')) key.pop_back();
    return key;
}

std::string key_of_phrase(std::string_view written) {
    std::string key;
    const std::string folded = fold_text(written);
    for (const std::string_view word : words_of(folded))
        key += (key.empty() ? "" : " ") + key_of(word);
    return key;
}

std::vector<std::string> with(std::vector<std::string> ids, const std::string& id) {
    if (std::ranges::find(ids, id) == ids.end()) ids.push_back(id);
    return ids;
}

class Reading {
public:
    Reading(std::string_view question, const Vocabulary& vocabulary)
        : question_(question), tokens_(detail::tokens_of(question)), vocabulary_(vocabulary) {}

    Understood run() {
        for (std::size_t at = 0; at < tokens_.size(); ++at)
            if (!tokens_[at].is_used) read_conditions(at);
        drop_opening();
        read_names();
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

    void read_conditions(std::size_t at) {
        if (const auto price = detail::price_phrase(tokens_, at)) return take_price(at, *price);
        if (at > 0 && is_in(tokens_[at - 1].folded, std::array{Words{"sin"}, Words{"no"}, Words{"without"}})) return;
        if (const std::size_t words = match_any(tokens_, at, stock_words)) {
            out_.in_stock = true;
            mean(MeaningKind::stock, at, words, "in stock");
            use(at, words);
        } else if (const std::size_t sale = match_any(tokens_, at, sale_words)) {
            out_.on_sale = true;
            mean(MeaningKind::sale, at, sale, "on sale");
            use(at, sale);
        } else if (const std::size_t featured = match_any(tokens_, at, featured_words)) {
            out_.featured = true;
            mean(MeaningKind::featured, at, featured, "featured");
            use(at, featured);
        } else if (const std::size_t cheap = match_any(tokens_, at, cheap_words)) {
            out_.wish = PriceWish::cheap;
            mean(MeaningKind::price_wish, at, cheap, "cheap");
            use(at, cheap);
        } else if (const std::size_t dear = match_any(tokens_, at, expensive_words)) {
            out_.wish = PriceWish::expensive;
            mean(MeaningKind::price_wish, at, dear, "expensive");
            use(at, dear);
        }
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
        use(at, price.length);
    }

    /// "Quiero una", "show me some".
    void drop_opening() {
        for (std::size_t at = 0; at < tokens_.size();) {
            if (tokens_[at].is_used) {
                ++at;
                continue;
            }
            const std::size_t words = match_any(tokens_, at, opening_words);
            if (words == 0) return;
            use(at, words);
            at += words;
        }
    }

    struct Match {
        std::size_t at;
        std::size_t count;
        const std::vector<Vocabulary::Name>* names;
    };

    std::optional<Match> longest_name(std::size_t at) const {
        std::string key;
        std::optional<Match> longest;
        for (std::size_t i = at; i < std::min(at + Vocabulary::longest_name, tokens_.size()); ++i) {
            if (tokens_[i].is_used) break;
            key += (key.empty() ? "" : " ") + key_of(tokens_[i].folded);
            if (const auto* names = vocabulary_.find(key)) longest = Match{at, i + 1 - at, names};
        }
        return longest;
    }

    /// The word before, articles aside; empty at the beginning.
    std::string_view before(std::size_t at) const {
        while (at > 0 && is_in(tokens_[at - 1].folded, articles))
            --at;
        return at > 0 && !tokens_[at - 1].is_used ? std::string_view{tokens_[at - 1].folded} : std::string_view{};
    }
    std::string_view after(std::size_t at) const {
        return at < tokens_.size() && !tokens_[at].is_used ? std::string_view{tokens_[at].folded} : std::string_view{};
    }

    void read_names() {
        std::vector<Match> things;  // categories and subcategories
        std::vector<Match> brands;
        for (std::size_t at = 0; at < tokens_.size();) {
            const auto found = longest_name(at);
            if (!found) {
                ++at;
                continue;
            }
            const bool is_brand = std::ranges::any_of(
                *found->names, [](const Vocabulary::Name& name) { return name.kind == MeaningKind::brand; });
            (is_brand ? brands : things).push_back(*found);
            at += found->count;
        }
        take_thing(things);
        take_brands(brands);
    }

    bool is_head(const Match& match) const {
        const std::string_view last = before(match.at);
        const std::string_view next = after(match.at + match.count);
        return !is_in(last, not_head) && !is_in(last, of_words) && !is_in(last, accessories) &&
               !is_in(next, accessories);
    }

    /// The first name of a kind of thing that is what is looked for; two side by side contradict each other.
    void take_thing(const std::vector<Match>& matches) {
        std::vector<Match> heads;
        for (const Match& match : matches) {
            if (is_head(match)) heads.push_back(match);
        }
        const Match* category = nullptr;
        for (const Match& match : heads) {
            if (!has_kind(match, MeaningKind::category)) continue;
            if (category == nullptr) {
                category = &match;
            } else if (category->at + category->count == match.at) {
                return;
            }
        }
        if (category != nullptr) take_category(*category);
        for (const Match& match : heads)
            if (out_.subcategories.empty()) take_subcategory(match, category == nullptr);
    }

    static bool has_kind(const Match& match, MeaningKind kind) {
        return std::ranges::any_of(*match.names, [&](const Vocabulary::Name& name) { return name.kind == kind; });
    }

    void take_category(const Match& match) {
        for (const Vocabulary::Name& name : *match.names) {
            if (name.kind != MeaningKind::category) continue;
            if (out_.categories.empty()) mean(MeaningKind::category, match.at, match.count, name.shown);
            out_.categories = {.name = name.shown, .ids = with(std::move(out_.categories.ids), name.id)};
        }
    }

    /// Of the category that was named; without one only a name that the question starts with, since many are
    /// adjectives.
    void take_subcategory(const Match& match, bool is_alone) {
        const bool is_first =
            std::ranges::all_of(tokens_.begin(), tokens_.begin() + static_cast<std::ptrdiff_t>(match.at),
                                [](const Token& token) { return token.is_used; });
        if (is_alone && !is_first) return;
        for (const Vocabulary::Name& name : *match.names) {
            if (name.kind != MeaningKind::subcategory) continue;
            if (!is_alone && std::ranges::find(out_.categories.ids, name.parent) == out_.categories.ids.end()) continue;
            if (out_.subcategories.empty()) mean(MeaningKind::subcategory, match.at, match.count, name.shown);
            out_.subcategories = {.name = name.shown, .ids = with(std::move(out_.subcategories.ids), name.id)};
        }
    }

    void take_brands(const std::vector<Match>& matches) {
        for (const Match& match : matches) {
            const Token& token = tokens_[match.at];
            if (is_in(before(match.at), not_head)) continue;
            if (match.count == 1 && is_in(token.folded, common_words) &&
                (token.written[0] < 'A' || token.written[0] > 'Z')) {
                continue;
            }
            bool is_told = false;
            for (const Vocabulary::Name& name : *match.names) {
                if (name.kind != MeaningKind::brand || !makes_what_is_wanted(name.id)) continue;
                out_.brands = {.name = out_.brands.empty() ? name.shown : out_.brands.name + ", " + name.shown,
                               .ids = with(std::move(out_.brands.ids), name.id)};
                if (!is_told) mean(MeaningKind::brand, match.at, match.count, name.shown);
                is_told = true;
            }
        }
    }

    /// "notebook intel" wants the processor's brand, of which there are no notebooks.
    bool makes_what_is_wanted(const std::string& brand) const {
        const auto& things = out_.subcategories.empty() ? out_.categories.ids : out_.subcategories.ids;
        return things.empty() || !vocabulary_.has_pairs() ||
               std::ranges::any_of(things, [&](const std::string& id) { return vocabulary_.has_pair(id, brand); });
    }

    /// As it was written where nothing was taken out of it.
    std::string rest() const {
        if (std::ranges::none_of(tokens_, &Token::is_used)) return std::string{question_};
        std::vector<const Token*> left;
        for (const Token& token : tokens_)
            if (!token.is_used) left.push_back(&token);
        while (!left.empty() && is_in(left.back()->folded, joints))
            left.pop_back();
        while (!left.empty() && is_in(left.front()->folded, joints))
            left.erase(left.begin());
        std::string text;
        for (const Token* token : left)
            text += (text.empty() ? "" : " ") + std::string{token->written};
        return text;
    }

    std::string_view question_;
    std::vector<Token> tokens_;
    const Vocabulary& vocabulary_;
    Understood out_;
};

constexpr std::string_view names_sql = R"sql(
SELECT 'category', id, name, display_name, NULL FROM categories WHERE active
UNION ALL SELECT 'subcategory', id, name, display_name, category_id::text FROM subcategories WHERE active
UNION ALL SELECT 'brand', id, name, display_name, NULL FROM brands WHERE active)sql";
constexpr std::string_view pairs_sql = R"sql(
SELECT DISTINCT category_id, brand_id FROM products WHERE active AND brand_id IS NOT NULL
UNION SELECT DISTINCT subcategory_id, brand_id FROM products
WHERE active AND brand_id IS NOT NULL AND subcategory_id IS NOT NULL)sql";
constexpr std::string_view synonyms_sql =
    "SELECT group_id, word FROM decant.synonyms WHERE pg_catalog.to_regclass('decant.synonyms') IS NOT NULL ORDER BY 1";
constexpr std::string_view has_synonyms_sql = "SELECT pg_catalog.to_regclass('decant.synonyms') IS NOT NULL";

}  // namespace

void Vocabulary::add(std::string_view written, const Name& name) {
    std::string spaced{written};
    std::ranges::replace(spaced, '_', ' ');
    const std::string key = key_of_phrase(spaced);
    if (key.empty()) return;
    std::vector<Name>& names = names_[key];
    const auto is_same = [&](const Name& other) { return other.kind == name.kind && other.id == name.id; };
    if (std::ranges::none_of(names, is_same)) names.push_back(name);
}

void Vocabulary::add_pair(const std::string& category_or_subcategory, const std::string& brand) {
    pairs_[category_or_subcategory + brand] = true;
}

bool Vocabulary::has_pair(const std::string& category_or_subcategory, const std::string& brand) const {
    return pairs_.contains(category_or_subcategory + brand);
}

void Vocabulary::add_synonyms(const std::vector<std::string>& group) {
    std::vector<Name> names;
    for (const std::string& word : group) {
        if (const auto* found = find(key_of_phrase(word))) {
            for (const Name& name : *found)
                if (name.kind != MeaningKind::brand) names.push_back(name);
        }
    }
    for (const std::string& word : group)
        for (const Name& name : names)
            add(word, name);
}

const std::vector<Vocabulary::Name>* Vocabulary::find(const std::string& key) const {
    const auto found = names_.find(key);
    return found == names_.end() ? nullptr : &found->second;
}

Vocabulary load_vocabulary(pg::Connection& db) {
    Vocabulary vocabulary;
    const pg::Result names = db.exec(names_sql);
    for (int row = 0; row < names.rows(); ++row) {
        const std::string_view kind = names.text(row, 0);
        const Vocabulary::Name name{.kind = kind == "brand"      ? MeaningKind::brand
                                            : kind == "category" ? MeaningKind::category
                                                                 : MeaningKind::subcategory,
                                    .id = std::string{names.text(row, 1)},
                                    .shown = std::string{names.text(row, names.is_null(row, 3) ? 2 : 3)},
                                    .parent = std::string{names.text(row, 4)}};
        vocabulary.add(names.text(row, 2), name);
        if (!names.is_null(row, 3)) vocabulary.add(names.text(row, 3), name);
    }
    const pg::Result pairs = db.exec(pairs_sql);
    for (int row = 0; row < pairs.rows(); ++row)
        vocabulary.add_pair(std::string{pairs.text(row, 0)}, std::string{pairs.text(row, 1)});
    if (!db.exec(has_synonyms_sql).boolean(0, 0)) return vocabulary;
    const pg::Result words = db.exec(synonyms_sql);
    std::vector<std::string> group;
    for (int row = 0; row < words.rows(); ++row) {
        group.emplace_back(words.text(row, 1));
        if (row + 1 < words.rows() && words.text(row + 1, 0) == words.text(row, 0)) continue;
        vocabulary.add_synonyms(group);
        group.clear();
    }
    return vocabulary;
}

Understood understand(std::string_view question, const Vocabulary& vocabulary) {
    return Reading{question, vocabulary}.run();
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
    if (!given.min_price && !given.max_price) {
        filter.min_price = understood.min_price;
        filter.max_price = understood.max_price;
    }
    filter.in_stock = given.in_stock || understood.in_stock;
    filter.on_sale = given.on_sale || understood.on_sale;
    filter.featured = given.featured || understood.featured;
    return filter;
}

}  // namespace decant::search
