#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "chat/intent.hpp"
#include "chat/language.hpp"
#include "chat/product_facts.hpp"
#include "search/diagnosis.hpp"
#include "search/hit.hpp"

/// The words of answers that no LLM wrote: plain text with simple lists. Products' texts are shown in one line and cut;
/// what has links, addresses or talk to the assistant in it is left out.
namespace decant::chat {

/// "$1.549,00" and "$1,549.00".
std::string price_text(double price, Language language);

/// The name of a product as it may be shown.
std::string shown_name(const search::Hit& hit);
/// Another text of a product; empty where it is not fit to be shown.
std::string shown_text(std::string_view text, std::size_t most_characters);

/// Numbered, with Marca, Categoría, Modelo, price, stock and relevance.
std::string product_list(std::span<const search::Hit> products, Language language);

struct FoundText {
    std::span<const search::Hit> products;
    const Intent& intent;
    std::uint64_t offset = 0;
    bool has_more = false;
    bool drops_names = false;  ///< nothing is of that category or brand
};
std::string found_text(const FoundText& found, Language language);

struct NothingText {
    std::span<const search::Hit> nearest;  ///< below the threshold
    std::string_view terms;
    const search::Diagnosis* diagnosis = nullptr;
    bool had_prices = false;
};
std::string nothing_text(const NothingText& nothing, Language language);
/// There is none cheaper, or dearer, than this one, which was shown.
std::string no_other_price_text(search::PriceWish wish, const search::Hit& shown, Language language);
std::string no_more_text(Language language);

std::string details_text(std::span<const ProductFacts> products, Language language);
std::string stock_text(std::span<const search::Hit> products, Language language);
std::string comparison_text(std::span<const ProductFacts> products, Language language);
/// A product that is to be compared was not found, or two were the same.
std::string no_comparison_text(std::string_view name, Language language);
std::string gone_text(Language language);
std::string overview_text(const Overview& overview, Language language);

/// Of greet, thank, part, help, human, service, unsettled and off_topic.
std::string social_text(Act act, Language language);

}  // namespace decant::chat
