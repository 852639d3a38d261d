#include "chat/detail/memory.hpp"

namespace decant::chat::detail {
namespace {

std::vector<std::string> texts_in(const json::object& object, std::string_view name) {
    std::vector<std::string> texts;
    const json::value* list = object.if_contains(name);
    if (list == nullptr || !list->is_array()) return texts;
    for (const json::value& item : list->get_array())
        if (item.is_string()) texts.emplace_back(item.get_string());
    return texts;
}

std::string text_in(const json::object& object, std::string_view name) {
    const json::value* value = object.if_contains(name);
    return value != nullptr && value->is_string() ? std::string{value->get_string()} : std::string{};
}

std::optional<double> number_in(const json::object& object, std::string_view name) {
    const json::value* value = object.if_contains(name);
    return value != nullptr && value->is_number() ? std::optional{value->to_number<double>()} : std::nullopt;
}

bool is_set(const json::object& object, std::string_view name) {
    const json::value* value = object.if_contains(name);
    return value != nullptr && value->is_bool() && value->get_bool();
}

json::array array_of(const std::vector<std::string>& texts) {
    json::array list;
    for (const std::string& text : texts)
        list.emplace_back(text);
    return list;
}

json::value or_null(const std::optional<double>& number) {
    return number ? json::value(*number) : json::value(nullptr);
}

}  // namespace

Memory memory_of(const json::object& state) {
    Memory memory{.shown = texts_in(state, "shown"),
                  .focus = texts_in(state, "focus"),
                  .language = language_names.find(text_in(state, "language"))};
    const json::value* request = state.if_contains("request");
    if (request == nullptr || !request->is_object()) return memory;
    const json::object& last = request->get_object();
    memory.request = LastRequest{.text = text_in(last, "text"),
                                 .brand_words = text_in(last, "brand_words"),
                                 .min_price = number_in(last, "min_price"),
                                 .max_price = number_in(last, "max_price"),
                                 .in_stock = is_set(last, "in_stock"),
                                 .on_sale = is_set(last, "on_sale"),
                                 .featured = is_set(last, "featured"),
                                 .offset = static_cast<std::uint64_t>(number_in(last, "offset").value_or(0))};
    return memory;
}

json::object state_of(const Memory& memory) {
    json::object state{{"shown", array_of(memory.shown)}, {"focus", array_of(memory.focus)}};
    if (memory.language) state["language"] = language_names[*memory.language];
    if (memory.request) {
        const LastRequest& last = *memory.request;
        state["request"] = {{"text", last.text},
                            {"brand_words", last.brand_words},
                            {"min_price", or_null(last.min_price)},
                            {"max_price", or_null(last.max_price)},
                            {"in_stock", last.in_stock},
                            {"on_sale", last.on_sale},
                            {"featured", last.featured},
                            {"offset", last.offset}};
    }
    return state;
}

}  // namespace decant::chat::detail
