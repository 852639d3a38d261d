#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace decant::test {

/// What the owner of a shop knows of one article. Numbers that stand for names index Shop's lists; -1: none.
struct ShopArticle {
    std::string sku;
    std::string name;
    int rubro = 0;
    int sub_rubro = -1;
    int brand = -1;
    std::string brand_name;  ///< only of what a scan has read
    std::int64_t price_cents = 0;
    std::int64_t cost_cents = 0;
    std::vector<std::int64_t> stock_tenths;  ///< of each size or colour
    bool is_stock_known = true;              ///< else the ERP has no list of it: what was known before stays
    std::string barcode;
    bool is_enabled = true;
    bool is_spoilt = false;  ///< the ERP has it in a form that nobody can read
};

/// A catalog that changes, how DUX shows it, and what the database must then hold by the contract. The expectation is
/// made from the articles, never from what is sent, and shares no code with the product.
class Shop {
public:
    Shop(std::uint64_t seed, std::size_t articles);

    /// The stock that the report has to count, of the articles as they are.
    struct OddStock {
        std::size_t negative = 0;
        std::size_t fractional = 0;
    };

    // One day's changes of so many articles by chance.
    void add(std::size_t count);
    void remove(std::size_t count);
    void rename(std::size_t count);
    void reprice(std::size_t count);
    void restock(std::size_t count);
    void move_to_other_rubros(std::size_t count);
    void rebrand(std::size_t count);
    void disable(std::size_t count);
    /// From now on they cannot be read: another way each.
    void spoil(std::size_t count);
    void mend_all();
    /// An article goes whose sku is known.
    void forget(const std::string& sku);
    void rename_rubro(int rubro, const std::string& name);
    void rename_brand(int brand, const std::string& name);

    /// As version 1 shows it, with decoys (other lists of prices, other places of stock), figures in several forms, and
    /// objects that are missing.
    boost::json::array items() const;
    /// The same with `count` items a second time, further back; the later one counts, the earlier one is outdated.
    boost::json::array items_with_duplicates(std::size_t count);

    const std::vector<ShopArticle>& articles() const noexcept { return articles_; }
    ShopArticle& article(std::size_t index) { return articles_.at(index); }

    /// One complete scan of the catalog as it is: what the database must hold from now on.
    void scan();
    /// The rows that it must hold, by sku; see ShopRow::sql.
    std::map<std::string, std::string> rows() const;
    /// The skus that the last scan could not read.
    std::set<std::string> spoilt() const;
    std::size_t active() const;
    OddStock odd_stock() const;

    /// Reads what rows() is compared with: sku, and the rest of a row as one text.
    static constexpr const char* rows_sql =
        "SELECT p.sku, concat_ws('|', p.name, p.price::numeric(14, 2), p.stock, c.display_name, s.display_name, "
        "b.name, "
        "p.barcode, p.cost::numeric(14, 2), p.tax_percentage::numeric(6, 2), p.external_code, p.image_url, p.active) "
        "FROM products p JOIN categories c ON c.id = p.category_id LEFT JOIN subcategories s ON s.id = "
        "p.subcategory_id LEFT JOIN brands b ON b.id = p.brand_id ORDER BY p.sku";

private:
    std::size_t pick(std::size_t count) { return static_cast<std::size_t>(random_()) % count; }
    ShopArticle& any();
    void change(std::size_t count, void (Shop::*one)(ShopArticle&));
    ShopArticle make_article();
    void set_price(ShopArticle& article);
    void set_stock(ShopArticle& article);
    boost::json::value item_of(const ShopArticle& article) const;
    void spoil_item(boost::json::object& item, std::size_t way) const;
    std::string row_of(const ShopArticle& article, std::int64_t stock) const;

    std::mt19937_64 random_;
    std::size_t made_ = 0;
    std::vector<ShopArticle> articles_;
    std::map<int, std::string> rubros_;
    std::map<int, std::string> brands_;
    struct Known {
        ShopArticle article;
        std::int64_t stock = 0;
    };
    std::map<std::string, Known> known_;       ///< by sku, as the scans have read them
    std::map<int, std::string> known_rubros_;  ///< a renamed one is so for all its products
};

}  // namespace decant::test
