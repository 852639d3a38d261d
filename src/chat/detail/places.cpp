#include "chat/detail/places.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string_view>

namespace decant::chat::detail {
namespace {

/// What is first, second...
constexpr auto ordinals = std::to_array<std::string_view>(
    {"primera, primero, primer, first, 1ra, 1ro, 1era, 1ero, 1st", "segunda, segundo, second, 2da, 2do, 2nd",
     "tercera, tercero, tercer, third, 3ra, 3ro, 3rd", "cuarta, cuarto, fourth, 4ta, 4to, 4th",
     "quinta, quinto, fifth, 5ta, 5to, 5th", "sexta, sexto, sixth", "septima, septimo, seventh",
     "octava, octavo, eighth", "novena, noveno, ninth", "decima, decimo, tenth"});
constexpr std::string_view last_words = "ultima, ultimo, last";
constexpr std::string_view counts_two = "dos, two, 2";
constexpr std::string_view counts_three = "tres, three, 3";
constexpr std::string_view first_ones = "primeras, primeros, first";
/// Before a figure it is a place.
constexpr std::string_view place_words =
    "la, el, las, los, numero, nro, number, opcion, option, producto, product, no, the, item";
constexpr std::string_view and_words = "y, and, con, with, e, vs, versus";
constexpr std::string_view both_words =
    "ambas, ambos, both, las dos, los dos, the two, estas dos, estos dos, those two";

/// "segunda mano" is no place.
constexpr std::string_view idioms =
    "segunda mano, second hand, primera vez, first time, ultima generacion, primera calidad, ultimo modelo, at first, "
    "primera linea, segunda marca, segundo monitor, second monitor";

bool is_in(std::string_view word, std::string_view list) {
    const std::vector<std::string_view> items = items_of(list);
    return std::ranges::find(items, word) != items.end();
}

std::optional<std::size_t> figure(std::string_view word) {
    std::size_t value = 0;
    const auto [end, failed] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (failed != std::errc{} || end != word.data() + word.size()) return std::nullopt;
    return value;
}

class Reading {
public:
    Reading(std::vector<std::string_view> words, std::size_t shown) : words_(std::move(words)), shown_(shown) {}

    std::vector<std::size_t> run() {
        for (std::size_t i = 0; i < words_.size(); ++i) {
            if (const std::size_t count = first_many(i)) {
                for (std::size_t place = 0; place < count; ++place)
                    add(place);
                ++i;
            } else {
                read_word(i);
            }
        }
        return std::move(places_);
    }

private:
    std::string_view word(std::size_t i) const { return i < words_.size() ? words_[i] : std::string_view{}; }

    /// "dos primeras", "first two": how many; 0: not said.
    std::size_t first_many(std::size_t i) const {
        for (const auto& [count, list] : {std::pair{2U, counts_two}, std::pair{3U, counts_three}}) {
            const bool is_said = (is_in(word(i), list) && is_in(word(i + 1), first_ones)) ||
                                 (is_in(word(i), first_ones) && is_in(word(i + 1), list));
            if (is_said) return count;
        }
        return 0;
    }

    void read_word(std::size_t i) {
        for (std::size_t place = 0; place < ordinals.size(); ++place)
            if (is_in(words_[i], ordinals[place])) add(place);
        if (is_in(words_[i], last_words) && shown_ > 0) add(shown_ - 1);
        const std::optional<std::size_t> number = figure(words_[i]);
        if (!number || *number == 0) return;
        const bool follows = i > 0 && is_in(words_[i - 1], place_words);
        const bool continues = i > 0 && !places_.empty() && is_in(words_[i - 1], and_words);
        if (follows || continues) add(*number - 1);
    }

    void add(std::size_t place) {
        if (place < shown_ && std::ranges::find(places_, place) == places_.end()) places_.push_back(place);
    }

    std::vector<std::string_view> words_;
    std::size_t shown_;
    std::vector<std::size_t> places_;
};

}  // namespace

std::vector<std::size_t> places_in(const Spoken& message, std::size_t shown) {
    Spoken spoken = message;
    spoken.drop(idioms);
    std::vector<std::size_t> places = Reading{spoken.words(), shown == 0 ? ordinals.size() : shown}.run();
    if (places.empty() && shown >= 2 && spoken.has_any(both_words)) return {0, 1};
    return places;
}

}  // namespace decant::chat::detail
