#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <span>
#include <string>
#include <string_view>

namespace decant {

namespace json = boost::json;

/// One line of JSON. Unlike boost::json::serialize it writes doubles in their shortest form ("0.5", not "5E-1") and
/// replaces bytes that are no UTF-8 by U+FFFD, so that the result is JSON whatever the strings hold. NaN and infinity,
/// which JSON cannot say, become null.
std::string json_text(const json::value& value);

/// `text` as a string of JSON, quotes included, as json_text writes one.
void append_json(std::string& out, std::string_view text);

/// An array of the shortest digits that read back as the same floats; whole numbers keep a point ("1.0").
std::string json_text(std::span<const float> values);

}  // namespace decant
