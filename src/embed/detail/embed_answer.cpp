#include "embed/detail/embed_answer.hpp"

#include <array>
#include <boost/json/parse.hpp>
#include <limits>

namespace decant::embed::detail {
namespace {

std::vector<float> vector_of(const json::value* list) {
    std::vector<float> values;
    const json::array* array = list != nullptr ? list->if_array() : nullptr;
    if (array == nullptr) return values;
    values.reserve(array->size());
    for (const json::value& one : *array) {
        boost::system::error_code is_no_number;
        const auto number = one.to_number<double>(is_no_number);
        values.push_back(is_no_number ? std::numeric_limits<float>::quiet_NaN() : static_cast<float>(number));
    }
    return values;
}

const json::array* list_in(const json::value& body, std::string_view name) noexcept {
    const json::value* list = member(body, name);
    return list != nullptr ? list->if_array() : nullptr;
}

}  // namespace

std::optional<json::value> parse_body(std::string_view body) {
    boost::system::error_code failed;
    json::value value = json::parse(json::string_view{body.data(), body.size()}, failed);
    if (failed) return std::nullopt;
    return value;
}

const json::value* member(const json::value& object, std::string_view name) noexcept {
    const json::object* members = object.if_object();
    return members != nullptr ? members->if_contains(json::string_view{name.data(), name.size()}) : nullptr;
}

std::uint64_t count_of(const json::value* number) noexcept {
    if (number == nullptr) return 0;
    boost::system::error_code is_no_count;
    const auto count = number->to_number<std::uint64_t>(is_no_count);
    return is_no_count ? 0 : count;
}

std::string text_of(const json::value* text) {
    const json::string* string = text != nullptr ? text->if_string() : nullptr;
    return string != nullptr ? std::string{string->data(), string->size()} : std::string{};
}

std::optional<EmbedAnswer> ollama_answer(const json::value& body) {
    const json::array* list = list_in(body, "embeddings");
    if (list == nullptr) return std::nullopt;
    EmbedAnswer answer{.vectors = {}, .tokens = count_of(member(body, "prompt_eval_count"))};
    for (const json::value& vector : *list)
        answer.vectors.push_back(vector_of(&vector));
    return answer;
}

std::optional<EmbedAnswer> openai_answer(const json::value& body) {
    const json::array* list = list_in(body, "data");
    if (list == nullptr) return std::nullopt;
    EmbedAnswer answer;
    if (const json::value* usage = member(body, "usage")) answer.tokens = count_of(member(*usage, "prompt_tokens"));
    std::vector<const json::value*> in_order(list->size());
    for (std::size_t i = 0; i < list->size(); ++i) {
        const json::value* index = member((*list)[i], "index");
        const std::uint64_t place = index != nullptr ? count_of(index) : i;
        if (place >= in_order.size() || in_order[place] != nullptr) {
            answer.vectors.resize(list->size());
            return answer;
        }
        in_order[place] = &(*list)[i];
    }
    for (const json::value* one : in_order)
        answer.vectors.push_back(vector_of(member(*one, "embedding")));
    return answer;
}

std::string error_text(const json::value& body) {
    const json::value* error = member(body, "error");
    if (error != nullptr && error->is_object()) return text_of(member(*error, "message"));
    for (const std::string_view name : {"error", "message", "detail"}) {
        if (std::string text = text_of(member(body, name)); !text.empty()) return text;
    }
    return {};
}

}  // namespace decant::embed::detail
