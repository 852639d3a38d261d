#include "chat/detail/memory.hpp"

#include "core/json_members.hpp"

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

json::array array_of(const std::vector<std::string>& texts) {
    json::array list;
    for (const std::string& text : texts)
        list.emplace_back(text);
    return list;
}

}  // namespace

Memory memory_of(const json::object& state) {
    Memory memory{.shown = texts_in(state, "shown"),
                  .focus = texts_in(state, "focus"),
                  .language = language_names.find(text_member(state, "language").value_or(""))};
    const json::value* request = state.if_contains("request");
    if (request == nullptr || !request->is_object()) return memory;
    const json::object& last = request->get_object();
    memory.request = LastRequest{.text = text_member(last, "text").value_or(""),
                                 .brand_words = text_member(last, "brand_words").value_or(""),
                                 .min_price = number_member(last, "min_price"),
                                 .max_price = number_member(last, "max_price"),
                                 .in_stock = is_set(last, "in_stock"),
                                 .on_sale = is_set(last, "on_sale"),
                                 .featured = is_set(last, "featured"),
                                 .offset = static_cast<std::uint64_t>(number_member(last, "offset").value_or(0))};
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
