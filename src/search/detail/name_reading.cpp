#include "search/detail/name_reading.hpp"

#include <algorithm>

namespace decant::search::detail {
namespace {

/// What follows them is what a thing is for, has, or is like: not what it is.
const Phrases scope_ends{
    "para, for, con, with, sin, without, compatible, compatibles, tipo, similar, similares, parecido, "
    "parecida, parecidos, alternativa, alternativas, alternative, alternatives, like, como, incluye, "
    "including, includes, that, que, than, using, usando"};
const Phrases denials{"no, not, excepto, except, salvo, menos, ni, nor, but"};
const Phrases denied_links{"sea, sean, es, son, de, from, by, marca, quiero, la, un, una, a, an"};
/// A brand after them is the brand, whatever stands before.
const Phrases brand_marks{"marca, marcas, brand, brands, by"};
const Phrases of_words{"de, of, del, en, in, on, to, al, from"};
const Phrases articles{"un, una, unos, unas, el, la, los, las, a, an, the, mi, my, tu, your, su"};
const Phrases joiners{"y, e, o, u, and, or, vs, versus, mas, plus"};
/// Beside the name of a category they are what is looked for: "mouse pad", "funda notebook".
const Phrases accessories{
    "pad, pads, stand, stands, bag, bags, cover, covers, arm, arms, cable, cables, adapter, adapters, "
    "adaptador, adaptadores, battery, batteries, bateria, baterias, charger, chargers, cargador, cargadores, "
    "sleeve, sleeves, mat, holder, mount, mounts, soporte, soportes, funda, fundas, mochila, mochilas, bolso, "
    "bolsos, brazo, brazos, base, bases, repuesto, repuestos, dock, docking, hub, protector, protectores, "
    "limpiador, cleaner, skin, alfombrilla, mousepad, splitter, vidrio, lampara, lamp, backpack, card, stick, "
    "desk, table, mesa, escritorio, chair, silla, tray, riser, rest, wrist, bungee, feet, skates, hook, "
    "hanger, gancho, colgador, remote, control, antenna, antena, rack, kit, screws, tornillos, sticker, "
    "stickers, lock, candado, correa, strap, estuche, pouch, keycap, keycaps, almohadilla, almohadillas, "
    "teclas, replacement, spare, parts, accesorio, accesorios, accessory, accessories, bracket, tinta, toner, "
    "cartucho, cartuchos, extension, alargue, conector, connector, transformador, bandeja, organizador, "
    "organizer, espuma, foam, filtro, filter, film, vinilo"};
/// What computers have, and smaller things too.
const Phrases shells{"case, cases, carcasa, carcasas, caja, cajas, pantalla, pantallas, screen, display"};
const Phrases shelled{
    "phone, iphone, ipad, airpods, tablet, galaxy, celular, telefono, kindle, watch, camera, camara, guitar, "
    "laptop, macbook, notebook, switch, redmi, pixel, moto, herramientas, fuerte, smartphone"};
/// Behind another word they say how it is: "parlante portátil".
const Phrases adjectives{"portatil, portatiles, portable, movil, moviles, mobile, fijo, inalambrico, inalambricos"};
/// Brands that are words of every day.
const Phrases common_words{
    "final, green, drop, trust, sparkle, cherry, glorious, first, master, power, super, air, one, go, pro, "
    "max, plus, core, edge, next, prime, basic, classic, star, sol, luna, oro, casa, ideal, total, best, "
    "essen, inland, target, apex, generic, generico, smart, natural, magic, clever, nothing, honor, royal, "
    "champion, vision, sharp, brother, ring, nest, orange, hero"};
/// They say what other makers' products have inside or are made for.
const Phrases chip_makers{"intel, amd, nvidia, ati, qualcomm, mediatek, microsoft, android, google"};
/// Of a category's products: a maker of chips with less is meant as what the products have inside.
constexpr double least_chip_share = 0.1;

struct Match {
    std::size_t at;
    std::size_t count;
    const std::vector<Vocabulary::Name>* names;

    std::size_t end() const noexcept { return at + count; }
    bool has(MeaningKind kind) const {
        return std::ranges::any_of(*names, [&](const Vocabulary::Name& name) { return name.kind == kind; });
    }
};

NamedIds with(NamedIds chosen, const Vocabulary::Name& name) {
    if (std::ranges::find(chosen.ids, name.id) != chosen.ids.end()) return chosen;
    chosen.name += (chosen.empty() ? "" : ", ") + name.shown;
    chosen.ids.push_back(name.id);
    return chosen;
}

class Names {
public:
    Names(const Tokens& tokens, const Vocabulary& vocabulary, Understood& out)
        : tokens_(tokens), vocabulary_(vocabulary), out_(out), is_named_(tokens.size()), is_in_scope_(tokens.size()) {}

    void read() {
        find_matches();
        find_scope();
        take_things();
        take_brands();
    }

private:
    void find_matches() {
        for (std::size_t at = 0; at < tokens_.size();) {
            const auto found = longest_name(at);
            if (!found) {
                ++at;
                continue;
            }
            matches_.push_back(*found);
            std::fill_n(is_named_.begin() + static_cast<std::ptrdiff_t>(at), found->count, true);
            at = found->end();
        }
    }

    std::optional<Match> longest_name(std::size_t at) const {
        std::string key;
        std::optional<Match> longest;
        for (std::size_t i = at; i < std::min(at + Vocabulary::longest_name, tokens_.size()); ++i) {
            if (tokens_[i].is_used) break;
            key += (key.empty() ? "" : " ") + key_of_word(tokens_[i].folded);
            if (const auto* names = vocabulary_.find(key)) longest = Match{at, i + 1 - at, names};
        }
        return longest;
    }

    /// A preposition closes it up to what was understood, or a comma.
    void find_scope() {
        bool is_open = true;
        for (std::size_t at = 0; at < tokens_.size(); ++at) {
            const Token& token = tokens_[at];
            if (token.is_used || token.before.find_first_of(",;:(") != std::string_view::npos) is_open = true;
            if (!token.is_used && !is_named_[at] && scope_ends.has(token.folded)) is_open = false;
            if (!token.is_used && !is_named_[at] && denies(at)) is_open = false;
            is_in_scope_[at] = is_open;
        }
    }

    /// "no sea lenovo", but not "no frost".
    bool denies(std::size_t at) const {
        if (!denials.has(tokens_[at].folded)) return false;
        std::size_t next = at + 1;
        while (next < tokens_.size() && denied_links.has(tokens_[next].folded))
            ++next;
        return next < tokens_.size() && is_named_[next];
    }

    /// The word before, articles aside; empty at the beginning and after what was understood.
    std::string_view before(std::size_t at) const {
        while (at > 0 && !tokens_[at - 1].is_used && articles.has(tokens_[at - 1].folded))
            --at;
        return at > 0 && !tokens_[at - 1].is_used ? std::string_view{tokens_[at - 1].folded} : std::string_view{};
    }

    /// "ofertas de notebooks": what stood before "de" was understood.
    bool follows_of(std::size_t at) const {
        while (at > 0 && !tokens_[at - 1].is_used && articles.has(tokens_[at - 1].folded))
            --at;
        if (at == 0 || tokens_[at - 1].is_used || is_named_[at - 1]) return false;
        return of_words.has(tokens_[at - 1].folded) && at > 1 && !tokens_[at - 2].is_used;
    }

    bool is_accessory(std::size_t at) const {
        return at < tokens_.size() && !tokens_[at].is_used && !is_named_[at] && is_in_scope_[at] &&
               accessories.has(tokens_[at].folded);
    }

    /// Synonyms are looser than names: "torre de sonido" is no case of a computer, nor is "iphone 15 case".
    bool is_loose(const Match& match) const {
        if (match.count > 1 || !std::ranges::all_of(*match.names, &Vocabulary::Name::is_synonym)) return false;
        const std::size_t next = match.end() + 1;
        const bool has_of = next < tokens_.size() && !tokens_[next].is_used && !is_named_[next] &&
                            (tokens_[next - 1].folded == "de" || tokens_[next - 1].folded == "of") &&
                            tokens_[next].folded.find_first_of("0123456789") == std::string::npos;
        const bool is_shell = shells.has(tokens_[match.at].folded);
        return has_of ||
               (is_shell && std::ranges::any_of(tokens_, [](const Token& token) { return shelled.has(token.folded); }));
    }

    bool is_head(const Match& match) const {
        if (!is_in_scope_[match.at] || follows_of(match.at) || is_loose(match)) return false;
        for (std::size_t i = 0; i < match.at; ++i)
            if (is_accessory(i)) return false;
        if (match.count == 1 && adjectives.has(tokens_[match.at].folded) && !is_first(match)) return false;
        return !is_accessory(match.end()) && !is_accessory(match.end() + 1);
    }

    /// Only names, what was understood, and words with digits stand before it.
    bool is_first(const Match& match) const {
        for (std::size_t i = 0; i < match.at; ++i) {
            const bool has_digit = tokens_[i].folded.find_first_of("0123456789") != std::string::npos;
            if (!tokens_[i].is_used && !is_named_[i] && !has_digit) return false;
        }
        return true;
    }

    /// "teclado y mouse", "mouse, teclado"; two categories without such a link contradict each other.
    bool are_joined(const Match& first, const Match& second) const {
        std::size_t name = second.at;
        while (name > first.end() && articles.has(tokens_[name - 1].folded))
            --name;
        if (tokens_[name].before.find_first_of(",&+/;") != std::string_view::npos) return true;
        return std::any_of(tokens_.begin() + static_cast<std::ptrdiff_t>(first.end()),
                           tokens_.begin() + static_cast<std::ptrdiff_t>(second.at),
                           [](const Token& token) { return joiners.has(token.folded); });
    }

    /// "16gb ram", "8 gb ram": what something has.
    bool is_measured(const Match& match) const {
        const auto has_digit = [&](std::size_t at) {
            return tokens_[at].folded.find_first_of("0123456789") != std::string::npos;
        };
        return (match.at > 0 && has_digit(match.at - 1)) ||
               (match.at > 1 && tokens_[match.at - 1].folded.size() == 2 && has_digit(match.at - 2));
    }

    static bool share_an_id(const Match& first, const Match& second) {
        return std::ranges::any_of(*first.names, [&](const Vocabulary::Name& name) {
            return std::ranges::any_of(*second.names,
                                       [&](const Vocabulary::Name& other) { return other.id == name.id; });
        });
    }

    void take_things() {
        std::vector<const Match*> heads;
        std::vector<const Match*> categories;
        for (const Match& match : matches_) {
            if (!is_head(match)) continue;
            if (match.has(MeaningKind::category)) {
                if (!categories.empty() && is_measured(match) && !are_joined(*categories.back(), match)) continue;
                if (!heads.empty() && contradicts_first(*heads.front(), match)) return;
                categories.push_back(&match);
            }
            heads.push_back(&match);
        }
        for (std::size_t i = 1; i < categories.size(); ++i) {
            if (!are_joined(*categories[i - 1], *categories[i]) && !share_an_id(*categories[i - 1], *categories[i]))
                return;
        }
        for (const Match* match : categories)
            if (!take_category(*match)) return;
        if (categories.size() > 1) return;  // a subcategory of one would lose the other
        for (const Match* match : heads)
            if (out_.subcategories.empty() && !match->has(MeaningKind::category)) take_subcategory(*match);
    }

    /// Nothing where the name is also that of a subcategory elsewhere: both may be meant.
    bool take_category(const Match& match) {
        const NamedIds before = out_.categories;
        for (const Vocabulary::Name& name : *match.names)
            if (name.kind == MeaningKind::category) out_.categories = with(out_.categories, name);
        for (const Vocabulary::Name& name : *match.names) {
            if (name.kind != MeaningKind::subcategory) continue;
            if (std::ranges::find(out_.categories.ids, name.parent) != out_.categories.ids.end()) continue;
            out_.categories = {};
            std::erase_if(out_.meanings, [](const Meaning& one) { return one.kind == MeaningKind::category; });
            return false;
        }
        const bool is_new = out_.categories.ids != before.ids;
        if (is_new)
            mean(MeaningKind::category, match,
                 out_.categories.name.substr(before.empty() ? 0 : before.name.size() + 2));
        return true;
    }

    /// Names of kinds of things are plurals; "Gamer" and "Cocina" say something else where no category is named.
    static bool names_a_thing(const Vocabulary::Name& name) {
        const std::string_view first = std::string_view{name.shown}.substr(0, name.shown.find(' '));
        return name.kind == MeaningKind::subcategory && (first.ends_with('s') || first.ends_with('S'));
    }

    /// "disco portátil" is no notebook: a thing of another category stands first.
    bool contradicts_first(const Match& first, const Match& category) const {
        if (first.at >= category.at || first.has(MeaningKind::category) || !is_first(first)) return false;
        return std::ranges::any_of(*first.names, [&](const Vocabulary::Name& name) {
            return names_a_thing(name) && std::ranges::none_of(*category.names, [&](const Vocabulary::Name& other) {
                       return other.id == name.parent;
                   });
        });
    }

    void take_subcategory(const Match& match) {
        const bool is_alone = out_.categories.empty();
        if (is_alone && !is_first(match)) return;
        NamedIds found;
        NamedIds parents;
        for (const Vocabulary::Name& name : *match.names) {
            if (name.kind != MeaningKind::subcategory) continue;
            if (is_alone ? !names_a_thing(name)
                         : std::ranges::find(out_.categories.ids, name.parent) == out_.categories.ids.end()) {
                continue;
            }
            found = with(found, name);
            parents =
                with(parents,
                     {.kind = MeaningKind::category, .id = name.parent, .shown = vocabulary_.shown_of(name.parent)});
        }
        if (found.empty()) return;
        if (names_a_sibling(match)) {
            // "disco ssd externo" may be in either: their category is all that is certain.
            if (!is_alone) return;
            mean(MeaningKind::category, match, parents.name);
            out_.categories = std::move(parents);
            return;
        }
        mean(MeaningKind::subcategory, match, found.name);
        out_.subcategories = std::move(found);
    }

    bool names_a_sibling(const Match& match) const {
        for (std::size_t i = 0; i < tokens_.size(); ++i) {
            const bool is_inside = i >= match.at && i < match.end();
            if (is_inside || tokens_[i].is_used) continue;
            const std::string key = key_of_word(tokens_[i].folded);
            if (std::ranges::any_of(*match.names, [&](const Vocabulary::Name& name) {
                    return name.kind == MeaningKind::subcategory && vocabulary_.is_of_sibling(name, key);
                })) {
                return true;
            }
        }
        return false;
    }

    void take_brands() {
        for (const Match& match : matches_) {
            if (match.has(MeaningKind::category) || match.has(MeaningKind::subcategory)) continue;
            if (!is_brand_wanted(match)) continue;
            NamedIds found;
            for (const Vocabulary::Name& name : *match.names) {
                if (is_written(match, name) && makes_what_is_wanted(name)) found = with(found, name);
            }
            if (found.empty()) continue;
            mean(MeaningKind::brand, match, found.name);
            for (const Vocabulary::Name& name : *match.names)
                if (std::ranges::find(found.ids, name.id) != found.ids.end()) out_.brands = with(out_.brands, name);
        }
    }

    bool is_brand_wanted(const Match& match) const {
        if (brand_marks.has(before(match.at))) return true;
        if (!is_in_scope_[match.at]) return false;
        // "cargador lenovo" is for one, and made by whoever.
        const bool has_accessory = [&] {
            for (std::size_t i = 0; i < tokens_.size(); ++i)
                if (is_accessory(i)) return true;
            return false;
        }();
        if (has_accessory && out_.categories.empty() && out_.subcategories.empty()) return false;
        return match.count > 1 || is_brand_word(match);
    }

    bool is_brand_word(const Match& match) const {
        const Token& token = tokens_[match.at];
        const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || static_cast<unsigned char>(c) >= 0x80; };
        if (std::ranges::none_of(token.folded, is_letter)) return false;
        const bool is_alone = tokens_.size() == 1;
        const bool has_capital = token.written[0] >= 'A' && token.written[0] <= 'Z';
        if (common_words.has(token.folded)) return is_alone || (has_capital && match.at > 0);
        if (token.folded.size() > 2 || is_alone) return true;
        const bool is_capitals = std::ranges::none_of(token.written, is_letter);
        const bool has_vowel = token.folded.find_first_of("aeiou") != std::string::npos;
        const bool counts_horses = token.folded == "hp" && match.at > 0 && is_number(tokens_[match.at - 1].folded);
        return !counts_horses && (is_capitals || !has_vowel);
    }

    /// Brands have no plural: "greens" is not Green.
    bool is_written(const Match& match, const Vocabulary::Name& name) const {
        std::string folded;
        for (std::size_t i = match.at; i < match.end(); ++i)
            folded += (folded.empty() ? "" : " ") + tokens_[i].folded;
        return name.written == folded;
    }

    /// "notebook intel" wants the processor's brand, of which there are no notebooks; "placa de video nvidia" the
    /// chip's.
    bool makes_what_is_wanted(const Vocabulary::Name& brand) const {
        const auto& things = out_.subcategories.empty() ? out_.categories.ids : out_.subcategories.ids;
        const bool is_chip_maker = chip_makers.has(brand.written);
        if (things.empty() || !vocabulary_.has_pairs()) return !is_chip_maker || tokens_.size() == 1;
        const double least = is_chip_maker ? least_chip_share : 0;
        return std::ranges::any_of(things, [&](const std::string& thing) {
            const double share = vocabulary_.share_of(brand.id, thing);
            return share > 0 && share >= least;
        });
    }

    void mean(MeaningKind kind, const Match& match, std::string value) {
        out_.meanings.push_back(
            {.kind = kind, .text = text_of(tokens_, match.at, match.count), .value = std::move(value)});
    }

    const Tokens& tokens_;
    const Vocabulary& vocabulary_;
    Understood& out_;
    std::vector<Match> matches_;
    std::vector<bool> is_named_;
    std::vector<bool> is_in_scope_;
};

}  // namespace

void read_names(const Tokens& tokens, const Vocabulary& vocabulary, Understood& out) {
    Names{tokens, vocabulary, out}.read();
}

}  // namespace decant::search::detail
