#include "catalog/embedding_text.hpp"

#include <boost/json/parse.hpp>

#include "core/json.hpp"
#include "core/utf8.hpp"

namespace decant::catalog {
namespace {

constexpr std::string_view blanks = " \t\r\n\v\f";
constexpr std::size_t most_description = 500;
constexpr std::size_t most_specifications = 300;
constexpr std::size_t most_words = 25;

std::string_view bare(std::string_view text) {
    const std::size_t first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::string_view view(const std::optional<std::string>& text) {
    return text ? std::string_view{*text} : std::string_view{};
}

std::string_view first_words(std::string_view text, std::size_t most) {
    std::size_t end = 0;
    for (std::size_t words = 0; words < most; ++words) {
        const std::size_t start = text.find_first_not_of(blanks, end);
        if (start == std::string_view::npos) break;
        end = std::min(text.find_first_of(blanks, start), text.size());
    }
    return text.substr(0, end);
}

void append(std::string& list, std::string_view item) {
    if (item.empty()) return;
    if (!list.empty()) list += ", ";
    list += item;
}

/// Objects as "k: v, k: v", arrays as "a, b"; what is empty or null is left out.
std::string plain(const json::value& value) {
    std::string text;
    if (const json::object* object = value.if_object()) {
        for (const auto& [key, member] : *object) {
            const std::string inner = plain(member);
            if (!inner.empty()) append(text, std::string{key} + ": " + inner);
        }
    } else if (const json::array* array = value.if_array()) {
        for (const json::value& item : *array)
            append(text, plain(item));
    } else if (const json::string* string = value.if_string()) {
        text = bare(std::string_view{*string});
    } else if (!value.is_null()) {
        text = json_text(value);
    }
    return text;
}

/// A text that is no JSON says what it says.
std::string plain_json(const std::optional<std::string>& text) {
    if (!text) return {};
    boost::system::error_code failed;
    const json::value value = json::parse(*text, failed);
    return failed ? *text : plain(value);
}

class Sentences {
public:
    void add(std::string_view label, std::string_view text) {
        text = bare(text);
        if (text.empty()) return;
        if (!text_.empty()) text_ += ". ";
        text_ += label;
        text_ += text;
    }
    std::string take() { return std::move(text_); }

private:
    std::string text_;
};

}  // namespace

std::string_view name_of(TextRecipe recipe) noexcept {
    return recipe == TextRecipe::labelled ? "labelled-1" : "title-first-1";
}

std::string embedding_text(const Product& product, TextRecipe recipe) {
    const std::string_view name = view(product.name);
    const std::string_view category =
        bare(view(product.category_display_name)).empty() ? view(product.category) : *product.category_display_name;
    Sentences text;
    if (recipe == TextRecipe::title_first) {
        for (const std::string_view part : {name, name, view(product.brand), category})
            text.add("", part);
        text.add("", first_words(view(product.description), most_words));
        return text.take();
    }
    text.add("Product: ", name);
    text.add("Brand: ", view(product.brand));
    text.add("Category: ", category);
    text.add("Model: ", view(product.model));
    text.add("Description: ", first_characters(bare(view(product.description)), most_description));
    text.add("Specifications: ", first_characters(bare(view(product.specs)), most_specifications));
    text.add("Technical: ", plain_json(product.technical_specs));
    text.add("Features: ", plain_json(product.features));
    return text.take();
}

Digest embedding_hash(std::string_view fingerprint, std::string_view text) {
    Sha256 hash;
    hash.update(fingerprint);
    hash.update(std::string_view{"\0", 1});
    hash.update(text);
    return hash.finish();
}

}  // namespace decant::catalog
