#include "core/strict_json.hpp"

#include <fmt/format.h>

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/value_stack.hpp>
#include <cmath>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "core/utf8.hpp"

namespace decant {
namespace {

using boost::json::error_code;
using boost::json::string_view;

/// What basic_parser calls: builds the value as Boost.JSON's own parser does, and looks at names and numbers.
class Builder {
public:
    static constexpr std::size_t max_object_size = json::object::max_size();
    static constexpr std::size_t max_array_size = json::array::max_size();
    static constexpr std::size_t max_key_size = json::string::max_size();
    static constexpr std::size_t max_string_size = json::string::max_size();

    explicit Builder(std::size_t most_members) : members_left_(most_members) {}

    bool on_document_begin(error_code&) {
        stack_.reset();
        return true;
    }
    bool on_document_end(error_code&) { return true; }
    bool on_object_begin(error_code&) {
        open_.emplace_back();
        return true;
    }
    bool on_object_end(std::size_t members, error_code&) {
        open_.pop_back();
        stack_.push_object(members);
        return true;
    }
    bool on_array_begin(error_code&) { return true; }
    bool on_array_end(std::size_t elements, error_code&) {
        stack_.push_array(elements);
        return true;
    }
    bool on_key_part(string_view part, std::size_t, error_code&) {
        name_.append(part.data(), part.size());
        return true;
    }
    bool on_key(string_view part, std::size_t, error_code& error) {
        name_.append(part.data(), part.size());
        if (members_left_-- == 0) return refuse("it has too many members", error);
        stack_.push_key(name_);
        const auto [place, is_new] = open_.back().insert(std::move(name_));
        name_.clear();
        return is_new ||
               refuse(fmt::format("'{}' stands twice in one object", printable(first_characters(*place, most_shown))),
                      error);
    }
    bool on_string_part(string_view part, std::size_t, error_code&) {
        stack_.push_chars(part);
        return true;
    }
    bool on_string(string_view part, std::size_t, error_code&) {
        stack_.push_string(part);
        return true;
    }
    bool on_number_part(string_view, error_code&) { return true; }
    bool on_int64(std::int64_t number, string_view, error_code&) {
        stack_.push_int64(number);
        return true;
    }
    bool on_uint64(std::uint64_t number, string_view, error_code&) {
        stack_.push_uint64(number);
        return true;
    }
    bool on_double(double number, string_view, error_code& error) {
        stack_.push_double(number);
        return std::isfinite(number) || refuse("a number is too large", error);
    }
    bool on_bool(bool value, error_code&) {
        stack_.push_bool(value);
        return true;
    }
    bool on_null(error_code&) {
        stack_.push_null();
        return true;
    }
    bool on_comment_part(string_view, error_code&) { return true; }
    bool on_comment(string_view, error_code&) { return true; }

    json::value take() { return stack_.release(); }
    /// Why it was refused here; empty: by the parser.
    const std::string& fault() const noexcept { return fault_; }

private:
    static constexpr std::size_t most_shown = 60;

    bool refuse(std::string fault, error_code& error) {
        fault_ = std::move(fault);
        error = boost::json::error::syntax;
        return false;
    }

    boost::json::value_stack stack_;
    std::vector<std::set<std::string>> open_;  ///< the names so far of each open object
    std::string name_;
    std::size_t members_left_;
    std::string fault_;
};

}  // namespace

json::value parse_strict_json(std::string_view text, const JsonLimits& limits) {
    boost::json::parse_options options;
    options.max_depth = limits.depth;
    boost::json::basic_parser<Builder> parser{options, limits.members};
    error_code error;
    const std::size_t read = parser.write_some(false, text.data(), text.size(), error);
    if (!error && read < text.size()) error = boost::json::error::extra_data;
    if (error) {
        const std::string& fault = parser.handler().fault();
        throw Error{
            ErrorCode::request_malformed,
            fmt::format("This is no JSON that is taken, at byte {}: {}", read, fault.empty() ? error.message() : fault),
            fmt::format("Send one document in UTF-8, at most {} deep, each name once in its object.", limits.depth)};
    }
    return parser.handler().take();
}

}  // namespace decant
