#include "search/where_sql.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/json.hpp"
#include "search/detail/filter_number.hpp"

namespace decant::search {
namespace {

constexpr std::string_view contains_sql = "t.metadata @> ${}::jsonb";
constexpr std::string_view any_value_sql = "t.metadata -> ${}::text = ANY (${}::jsonb[])";
// decant writes a float with its point (3.0) and jsonb keeps it, so the text tells it from an integer.
constexpr std::string_view is_real_sql = "strpos((t.metadata -> ${}::text)::text, '.') > 0";
constexpr std::string_view is_whole_sql = "strpos((t.metadata -> ${}::text)::text, '.') = 0";
/// {0} the key, {1} the operator, {2} what floats are compared with, {3} what integers are.
constexpr std::string_view order_sql =
    "CASE WHEN jsonb_typeof(t.metadata -> ${0}::text) = 'number' THEN "
    "CASE WHEN strpos((t.metadata -> ${0}::text)::text, '.') > 0 THEN (t.metadata -> ${0}::text)::numeric {1} "
    "${2}::numeric "
    "ELSE (t.metadata -> ${0}::text)::numeric {1} ${3}::numeric END ELSE false END";
constexpr std::string_view document_is_sql = "t.document = ANY (${}::text[])";
constexpr std::string_view document_like_sql = "t.document LIKE ${}::text";
constexpr std::string_view document_matches_sql = "t.document ~ ${}::text";
// Rows without the key, or without a document, are not equal to anything, and so they pass.
constexpr std::string_view negated_sql = "({}) IS NOT TRUE";
constexpr std::string_view never_sql = "false";

// No GIN index serves = ANY, and a condition for each value is too much for long lists.
constexpr std::size_t most_containments = 20;

// The key under which Chroma keeps documents among its metadata.
constexpr std::string_view stored_document_key = "chroma:document";

detail::FilterNumber number_of(const WhereValue& value) {
    if (const auto* whole = std::get_if<std::int64_t>(&value)) return detail::number_of(*whole);
    return detail::number_of(std::get<double>(value));
}

bool is_number(const WhereValue& value) {
    return std::holds_alternative<std::int64_t>(value) || std::holds_alternative<double>(value);
}

/// PostgreSQL's text and jsonb have no U+0000, so nothing there is equal to a text with one.
bool is_storable(std::string_view text) {
    return text.find('\0') == std::string_view::npos;
}

/// Of a text or a boolean.
std::string json_of(const WhereValue& value) {
    if (const auto* is_true = std::get_if<bool>(&value)) return *is_true ? "true" : "false";
    return json_text(json::value(json::string(std::get<std::string>(value))));
}

class Writer {
public:
    explicit Writer(std::size_t first) : next_(first) {}

    std::string operator()(const Combination& combination) {
        std::vector<std::string> parts;
        for (const Where& part : combination.parts)
            parts.push_back(std::visit(*this, part.node));
        return fmt::format("({})", fmt::join(parts, combination.is_and ? " AND " : " OR "));
    }

    std::string operator()(const DocumentMatch& match) {
        const bool is_regex = match.test == DocumentTest::regex || match.test == DocumentTest::not_regex;
        std::string positive{never_sql};
        if (is_storable(match.operand)) {
            positive = is_regex ? fmt::format(document_matches_sql, add(match.operand))
                                : fmt::format(document_like_sql, add(containing(match.operand)));
        }
        const bool is_negated = match.test == DocumentTest::not_contains || match.test == DocumentTest::not_regex;
        return is_negated ? fmt::format(negated_sql, positive) : positive;
    }

    std::string operator()(const Comparison& comparison) {
        switch (comparison.comparator) {
            case Comparator::eq:
            case Comparator::in:
                return equal(comparison);
            case Comparator::ne:
            case Comparator::nin:
                return fmt::format(negated_sql, equal(comparison));
            case Comparator::contains:
                return has_element(comparison);
            case Comparator::not_contains:
                return fmt::format(negated_sql, has_element(comparison));
            case Comparator::gt:
                return ordered(comparison, ">");
            case Comparator::gte:
                return ordered(comparison, ">=");
            case Comparator::lt:
                return ordered(comparison, "<");
            case Comparator::lte:
                return ordered(comparison, "<=");
        }
        return std::string{never_sql};
    }

    std::vector<pg::Param> take() { return std::move(params_); }

private:
    std::size_t add(std::string value) {
        params_.emplace_back(std::move(value));
        return next_++;
    }

    static std::string containing(std::string_view text) {
        std::string pattern = "%";
        for (const char c : text) {
            if (c == '%' || c == '_' || c == '\\') pattern += '\\';
            pattern += c;
        }
        return pattern + "%";
    }

    /// A row whose metadata has `json` under the key.
    std::string contained(const std::string& key, const std::string& json) {
        return fmt::format(contains_sql, add("{" + json_text(json::value(json::string(key))) + ":" + json + "}"));
    }

    std::string equal(const Comparison& comparison) {
        if (!is_storable(comparison.key)) return std::string{never_sql};
        if (comparison.key == stored_document_key) return document_equal(comparison);
        if (is_number(comparison.values.front())) return equal_number(comparison);
        std::vector<std::string> jsons;
        for (const WhereValue& value : comparison.values) {
            const auto* text = std::get_if<std::string>(&value);
            if (text == nullptr || is_storable(*text)) jsons.push_back(json_of(value));
        }
        if (jsons.empty()) return std::string{never_sql};
        if (jsons.size() > most_containments) return any_of(comparison.key, jsons);
        for (std::string& json : jsons)
            json = contained(comparison.key, json);
        return fmt::format("({})", fmt::join(jsons, " OR "));
    }

    std::string any_of(const std::string& key, const std::vector<std::string>& jsons) {
        const std::size_t key_number = add(key);
        return fmt::format(any_value_sql, key_number, add(pg::array_literal(jsons)));
    }

    std::string equal_number(const Comparison& comparison) {
        const std::string& key = comparison.key;
        if (comparison.values.size() > most_containments) {
            std::vector<std::string> wholes;
            std::vector<std::string> reals;
            for (const WhereValue& value : comparison.values) {
                const detail::FilterNumber number = number_of(value);
                wholes.push_back(number.whole);
                reals.push_back(number.real_low);
                reals.push_back(number.real_high);
            }
            return either(key, any_of(key, wholes), any_of(key, reals));
        }
        std::vector<std::string> parts;
        for (const WhereValue& value : comparison.values) {
            const detail::FilterNumber number = number_of(value);
            parts.push_back(number.is_one ? contained(key, number.whole)
                                          : either(key, contained(key, number.whole), contained_real(key, number)));
        }
        return fmt::format("({})", fmt::join(parts, " OR "));
    }

    /// The same for a float; in a list where `open` and `close` are brackets.
    std::string contained_real(const std::string& key, const detail::FilterNumber& number, std::string_view open = "",
                               std::string_view close = "") {
        const std::string low = contained(key, fmt::format("{}{}{}", open, number.real_low, close));
        if (number.real_low == number.real_high) return low;
        return fmt::format("({} OR {})", low, contained(key, fmt::format("{}{}{}", open, number.real_high, close)));
    }

    /// `whole` of integers or `real` of floats.
    std::string either(const std::string& key, const std::string& whole, const std::string& real) {
        const std::size_t number = add(key);
        return fmt::format("(({} AND {}) OR ({} AND {}))", whole, fmt::format(is_whole_sql, number), real,
                           fmt::format(is_real_sql, number));
    }

    std::string document_equal(const Comparison& comparison) {
        std::vector<std::string> texts;
        for (const WhereValue& value : comparison.values) {
            const auto* text = std::get_if<std::string>(&value);
            if (text != nullptr && is_storable(*text)) texts.push_back(*text);
        }
        return texts.empty() ? std::string{never_sql} : fmt::format(document_is_sql, add(pg::array_literal(texts)));
    }

    /// Of a list. Other than equality this tells 3 from 3.0.
    std::string has_element(const Comparison& comparison) {
        const WhereValue& value = comparison.values.front();
        const auto* text = std::get_if<std::string>(&value);
        if (!is_storable(comparison.key) || (text != nullptr && !is_storable(*text))) return std::string{never_sql};
        const std::string& key = comparison.key;
        if (!is_number(value)) return contained(key, "[" + json_of(value) + "]");
        const detail::FilterNumber number = number_of(value);
        if (std::holds_alternative<double>(value)) {
            const std::string has = contained_real(key, number, "[", "]");
            return fmt::format("({} AND {})", has, fmt::format(is_real_sql, add(key)));
        }
        const std::string has = contained(key, "[" + number.whole + "]");
        return fmt::format("({} AND {})", has, fmt::format(is_whole_sql, add(key)));
    }

    std::string ordered(const Comparison& comparison, std::string_view op) {
        if (!is_storable(comparison.key)) return std::string{never_sql};
        const detail::FilterNumber number = number_of(comparison.values.front());
        const std::size_t key = add(comparison.key);
        const bool is_after_both = comparison.comparator == Comparator::gt || comparison.comparator == Comparator::lte;
        const std::size_t real = add(is_after_both ? number.real_high : number.real_low);
        return fmt::format(order_sql, key, op, real, add(number.whole));
    }

    std::size_t next_;
    std::vector<pg::Param> params_;
};

}  // namespace

Condition condition_of(std::span<const Where> filters, std::size_t first) {
    Writer writer{first};
    std::vector<std::string> parts;
    for (const Where& filter : filters)
        parts.push_back(std::visit(writer, filter.node));
    return {.sql = parts.empty() ? "true" : fmt::format("{}", fmt::join(parts, " AND ")), .params = writer.take()};
}

}  // namespace decant::search
