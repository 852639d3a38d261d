#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "chat/detail/answer_words.hpp"
#include "search/hit.hpp"

namespace decant::chat::detail {

/// What an answer may name: of the products that were found, and of the question. Words are looked up by their stem.
class KnownFacts {
public:
    KnownFacts(std::span<const search::Hit> products, std::string_view question);

    /// A product's price, to the cent, or a number of the question that may be one.
    bool has_price(double value) const noexcept;
    /// A product's stock, or a number of the question.
    bool has_stock(double value) const noexcept;
    bool has_asked(double value) const noexcept;
    bool has_asked_price(double value) const noexcept;

    /// A product is called by it, or the question has it.
    bool has_word(std::string_view folded) const;
    /// The same of words that stand next to each other, however they are joined.
    bool has_joined(const std::string& folded) const;
    /// The same, or a product's description has it, which says much and proves no price, no stock and no product.
    bool mentions_word(std::string_view folded) const;
    bool mentions_joined(const std::string& folded) const;
    /// The question has these words one after the other.
    bool asks(const Words& words) const;

    /// The words of one product's names, codes and classes, by themselves and joined.
    struct Product {
        std::set<std::string, std::less<>> stems;
        std::set<std::string, std::less<>> joined;
        std::set<std::string, std::less<>> name;  ///< its stems
        double price = 0;
        double stock = 0;
    };
    const std::vector<Product>& products() const noexcept { return products_; }

private:
    std::vector<Product> products_;
    Product question_;
    Product described_;
    std::string question_line_;  ///< its words with a blank before and behind each
    std::vector<double> prices_;
    std::vector<double> stocks_;
    std::vector<double> asked_;
    std::vector<double> asked_prices_;
};

}  // namespace decant::chat::detail
