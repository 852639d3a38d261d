#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "chroma/product_key.hpp"
#include "search/filter.hpp"
#include "search/hit.hpp"

namespace decant::search::detail {

/// Finds the products of Chroma's records in the catalog: by the first of a record's ProductKeys that the catalog has,
/// as `decant migrate` does; of several records of one product the first. Gives those that pass a filter.
class ProductJoin {
public:
    /// `filter` must outlive this.
    explicit ProductJoin(const BoundFilter& filter) : filter_(filter) {}

    /// The next record, in the order of the answer. Keys that no text column can hold are left out.
    void add(const chroma::ProductNames& names);
    std::size_t size() const noexcept { return records_; }
    void clear() noexcept;

    struct Found {
        std::size_t record;  ///< its number, from 0
        Hit hit;             ///< without similarity and score
    };
    struct Answer {
        std::vector<Found> found;  ///< in the records' order, every product once
        std::uint64_t known = 0;   ///< records whose product the catalog has, passing or not
    };
    /// Throws Error{not_found} where there is no catalog.
    Answer run(pg::Connection& db) const;

    // The statement, for tests of its plan.
    std::string sql() const;
    std::vector<pg::Param> params() const;

private:
    const BoundFilter& filter_;
    std::size_t records_ = 0;
    std::string id_places_;  ///< arrays as PostgreSQL reads them, still without braces
    std::string ids_;
    std::string sku_places_;
    std::vector<std::string> skus_;
};

}  // namespace decant::search::detail
