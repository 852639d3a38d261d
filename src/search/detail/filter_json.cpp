#include "search/detail/filter_json.hpp"

#include <fmt/format.h>

#include <boost/json/basic_parser_impl.hpp>
#include <charconv>

#include "core/error.hpp"
#include "core/json.hpp"
#include "core/utf8.hpp"

namespace decant::search::detail {
namespace {

using boost::json::error_code;
using boost::json::string_view;

/// What basic_parser calls: puts each value into the list or object that is open.
class TreeHandler {
public:
    static constexpr std::size_t max_object_size = most_filter_bytes;
    static constexpr std::size_t max_array_size = most_filter_bytes;
    static constexpr std::size_t max_key_size = most_filter_bytes;
    static constexpr std::size_t max_string_size = most_filter_bytes;

    bool on_document_begin(error_code&) { return true; }
    bool on_document_end(error_code&) { return true; }
    bool on_object_begin(error_code&) { return open(FilterJson::Object{}); }
    bool on_object_end(std::size_t, error_code&) { return close(); }
    bool on_array_begin(error_code&) { return open(FilterJson::List{}); }
    bool on_array_end(std::size_t, error_code&) { return close(); }
    bool on_key_part(string_view part, std::size_t, error_code&) { return add_text(part); }
    bool on_key(string_view part, std::size_t, error_code&) {
        add_text(part);
        names_.push_back(std::move(text_));
        text_.clear();
        return true;
    }
    bool on_string_part(string_view part, std::size_t, error_code&) { return add_text(part); }
    bool on_string(string_view part, std::size_t, error_code&) {
        add_text(part);
        const bool is_put = put(std::move(text_));
        text_.clear();
        return is_put;
    }
    bool on_number_part(string_view part, error_code&) { return add_text(part); }
    bool on_int64(std::int64_t number, string_view, error_code&) { return put_number(number); }
    bool on_uint64(std::uint64_t number, string_view, error_code&) { return put_number(number); }
    bool on_double(double number, string_view part, error_code&) {
        add_text(part);
        double exact = number;
        // Out of range leaves it as it is: infinite or zero.
        std::from_chars(text_.data(), text_.data() + text_.size(), exact);
        return put_number(exact);
    }
    bool on_bool(bool value, error_code&) { return put(value); }
    bool on_null(error_code&) { return put(nullptr); }
    bool on_comment_part(string_view, error_code&) { return true; }
    bool on_comment(string_view, error_code&) { return true; }

    FilterJson take() { return std::move(root_); }

private:
    bool add_text(string_view part) {
        text_.append(part.data(), part.size());
        return true;
    }
    template <typename T>
    bool put_number(T number) {
        text_.clear();
        return put(number);
    }
    template <typename T>
    bool open(T&& empty) {
        open_.push_back({.value = std::forward<T>(empty)});
        return true;
    }
    bool close() {
        FilterJson done = std::move(open_.back());
        open_.pop_back();
        return put(std::move(done.value));
    }
    template <typename T>
    bool put(T&& value) {
        FilterJson json{.value = std::forward<T>(value)};
        if (open_.empty()) {
            root_ = std::move(json);
        } else if (auto* list = std::get_if<FilterJson::List>(&open_.back().value)) {
            list->push_back(std::move(json));
        } else {
            std::get<FilterJson::Object>(open_.back().value).push_back({std::move(names_.back()), std::move(json)});
            names_.pop_back();
        }
        return true;
    }

    FilterJson root_;
    std::vector<FilterJson> open_;
    std::vector<std::string> names_;  ///< of members whose values are being read
    std::string text_;
};

json::value to_boost(const FilterJson& json) {
    return std::visit(
        [](const auto& value) -> json::value {
            using T = std::decay_t<decltype(value)>;
            if constexpr (std::is_same_v<T, FilterJson::List>) {
                json::array list;
                for (const FilterJson& element : value)
                    list.push_back(to_boost(element));
                return list;
            } else if constexpr (std::is_same_v<T, FilterJson::Object>) {
                json::object object;
                for (const FilterJson::Member& member : value)
                    object[member.name] = to_boost(member.value);
                return object;
            } else {
                return json::value(value);
            }
        },
        json.value);
}

}  // namespace

FilterJson parse_filter_json(std::string_view text, std::string_view what) {
    if (text.size() > most_filter_bytes) {
        throw Error{ErrorCode::request_invalid, fmt::format("{} has {} bytes", what, text.size()),
                    fmt::format("Give at most {}.", most_filter_bytes)};
    }
    boost::json::parse_options options;
    options.max_depth = deepest_filter;
    boost::json::basic_parser<TreeHandler> parser{options};
    error_code error;
    const std::size_t read = parser.write_some(false, text.data(), text.size(), error);
    if (!error && read < text.size()) error = boost::json::error::extra_data;
    if (error) {
        throw Error{ErrorCode::request_invalid,
                    fmt::format("{} is no JSON at byte {}: {}", what, read, error.message()),
                    "Give one JSON document, in single quotes for the shell: '{\"brand\": \"Sony\"}'."};
    }
    return parser.handler().take();
}

std::string shown(const FilterJson& json) {
    constexpr std::size_t most = 60;
    const std::string text = printable(json_text(to_boost(json)));
    const std::string_view cut = first_characters(text, most);
    return cut.size() == text.size() ? text : std::string{cut} + "...";
}

}  // namespace decant::search::detail
