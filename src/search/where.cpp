#include "search/where.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <optional>

#include "core/error.hpp"
#include "core/utf8.hpp"
#include "search/detail/filter_json.hpp"
#include "search/detail/regex.hpp"

namespace decant::search {
namespace {

using detail::FilterJson;
using detail::shown;

constexpr std::size_t most_tests = 1'000;
constexpr std::size_t most_values = 10'000;

constexpr std::string_view document_key = "#document";

/// A node of the JSON, for messages.
struct Place {
    std::string_view option;
    std::string pointer;

    Place in(std::string_view name) const {
        std::string escaped;
        for (const char c : name)
            escaped += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
        return {option, pointer + "/" + escaped};
    }
    Place in(std::size_t index) const { return in(std::to_string(index)); }

    [[noreturn]] void refuse(const std::string& what, const std::string& allowed) const {
        throw Error{ErrorCode::request_invalid,
                    pointer.empty() ? fmt::format("{}: {}", option, what)
                                    : fmt::format("{}, at {}: {}", option, printable(pointer), what),
                    allowed};
    }
};

/// The one member that an object of a filter has.
const FilterJson::Member& only_member(const FilterJson& json, const Place& place, const std::string& allowed) {
    const auto* object = json.as<FilterJson::Object>();
    if (object == nullptr) place.refuse(fmt::format("{} is no object", shown(json)), allowed);
    if (object->size() != 1)
        place.refuse(fmt::format("an object of {} members, {}", object->size(), shown(json)),
                     "Give each condition an object of its own and join them: {\"$and\": [{...}, {...}]}.");
    return object->front();
}

class Parser {
public:
    explicit Parser(std::string_view option) : root_{option, ""} {}

    Where parse_where(std::string_view text) {
        return metadata_filter(detail::parse_filter_json(text, root_.option), root_);
    }
    Where parse_document(std::string_view text) {
        return document_filter(detail::parse_filter_json(text, root_.option), root_);
    }

private:
    static constexpr const char* metadata_form =
        "Give {KEY: VALUE}, {KEY: {OPERATOR: VALUE}}, {\"$and\": [...]} or {\"$or\": [...]}.";

    Where metadata_filter(const FilterJson& json, const Place& place) {
        const auto& [name, value] = only_member(json, place, metadata_form);
        const Place inside = place.in(name);
        if (name == "$and" || name == "$or") {
            return combination(name, value, inside,
                               [this](const auto& part, const Place& at) { return metadata_filter(part, at); });
        }
        if (name.starts_with('$'))
            inside.refuse(fmt::format("'{}' is no key of metadata", printable(name)), metadata_form);
        if (value.as<FilterJson::Object>() != nullptr) return key_filter(name, value, inside);
        if (name == document_key) inside.refuse("a document is compared by no equality", document_form());
        return {comparison(name, Comparator::eq, value, inside)};
    }

    Where key_filter(const std::string& key, const FilterJson& json, const Place& place) {
        const std::string allowed = fmt::format("Use one of {}.", fmt::join(comparator_names.names, ", "));
        const auto& [name, value] = only_member(json, place, allowed);
        const Place inside = place.in(name);
        if (key == document_key) return document_test(name, value, inside);
        const auto comparator = comparator_names.find(name);
        if (!comparator) inside.refuse(fmt::format("'{}' is no operator of metadata", printable(name)), allowed);
        return {comparison(key, *comparator, value, inside)};
    }

    Comparison comparison(const std::string& key, Comparator comparator, const FilterJson& json, const Place& place) {
        count_test(place);
        Comparison out{.key = key, .comparator = comparator, .values = {}};
        if (comparator == Comparator::in || comparator == Comparator::nin) {
            out.values = values(json, place);
            return out;
        }
        out.values.push_back(value(json, place));
        const bool is_order = comparator >= Comparator::gt && comparator <= Comparator::lte;
        const auto& only = out.values.front();
        if (is_order && !std::holds_alternative<std::int64_t>(only) && !std::holds_alternative<double>(only))
            place.refuse(fmt::format("{} is no number", shown(json)), "Only numbers are compared by order.");
        return out;
    }

    std::vector<WhereValue> values(const FilterJson& json, const Place& place) {
        const auto* list = json.as<FilterJson::List>();
        if (list == nullptr || list->empty())
            place.refuse(fmt::format("{} is no list of values", shown(json)), "Give a list of at least one value.");
        std::vector<WhereValue> out;
        for (std::size_t i = 0; i < list->size(); ++i) {
            out.push_back(value((*list)[i], place.in(i)));
            if (out.back().index() != out.front().index())
                place.in(i).refuse(fmt::format("{} is of another type than the first value", shown((*list)[i])),
                                   "All values of a list are strings, booleans, whole numbers, or numbers with a "
                                   "decimal point.");
        }
        return out;
    }

    WhereValue value(const FilterJson& json, const Place& place) {
        if (++values_ > most_values) place.refuse("too many values", fmt::format("Give at most {}.", most_values));
        if (const auto* text = json.as<std::string>()) return *text;
        if (const auto* is_true = json.as<bool>()) return *is_true;
        if (const auto* whole = json.as<std::int64_t>()) return *whole;
        if (json.as<std::uint64_t>() != nullptr)
            place.refuse(fmt::format("{} is more than 64 bits with a sign hold", shown(json)),
                         "Write it with a decimal point, as a floating-point number.");
        const auto* real = json.as<double>();
        if (real == nullptr)
            place.refuse(fmt::format("{} is no value", shown(json)), "Give a string, a number, true or false.");
        if (!std::isfinite(*real)) place.refuse("a number that no double holds", "Give one up to 1.79e308.");
        // Chroma stores no negative zero.
        return *real == 0 ? 0.0 : *real;
    }

    static std::string document_form() {
        return fmt::format("Use one of {} with a text.", fmt::join(document_test_names.names, ", "));
    }

    Where document_filter(const FilterJson& json, const Place& place) {
        const auto& [name, value] = only_member(
            json, place, "Give {OPERATOR: TEXT}, {\"$and\": [...]} or {\"$or\": [...]}. " + document_form());
        const Place inside = place.in(name);
        if (name == "$and" || name == "$or") {
            return combination(name, value, inside,
                               [this](const auto& part, const Place& at) { return document_filter(part, at); });
        }
        Where out = document_test(name, value, inside);
        if (value.as<std::string>()->empty()) inside.refuse("the text is empty", "Give at least one character.");
        return out;
    }

    Where document_test(std::string_view name, const FilterJson& json, const Place& place) {
        count_test(place);
        const auto test = document_test_names.find(name);
        if (!test) place.refuse(fmt::format("'{}' is no operator of documents", printable(name)), document_form());
        const auto* text = json.as<std::string>();
        if (text == nullptr) place.refuse(fmt::format("{} is no text", shown(json)), document_form());
        if (*test == DocumentTest::contains || *test == DocumentTest::not_contains)
            return {DocumentMatch{.test = *test, .operand = *text}};
        try {
            return {DocumentMatch{.test = *test, .operand = detail::postgres_regex(*text)}};
        } catch (const detail::RegexFault& fault) {
            place.refuse(fault.happened, fault.remedy);
        }
    }

    template <typename ParsePart>
    Where combination(std::string_view name, const FilterJson& json, const Place& place, ParsePart parse_part) {
        const auto* list = json.as<FilterJson::List>();
        if (list == nullptr || list->size() < 2)
            place.refuse(fmt::format("{} is no list of at least two filters", shown(json)),
                         fmt::format("Leave {} out where there is one filter only.", name));
        Combination out{.is_and = name == "$and", .parts = {}};
        for (std::size_t i = 0; i < list->size(); ++i)
            out.parts.push_back(parse_part((*list)[i], place.in(i)));
        return {std::move(out)};
    }

    void count_test(const Place& place) {
        if (++tests_ > most_tests) place.refuse("too many conditions", fmt::format("Give at most {}.", most_tests));
    }

    Place root_;
    std::size_t tests_ = 0;
    std::size_t values_ = 0;
};

}  // namespace

Where parse_where(std::string_view json) {
    return Parser{"where"}.parse_where(json);
}

Where parse_where_document(std::string_view json) {
    return Parser{"where_document"}.parse_document(json);
}

}  // namespace decant::search
