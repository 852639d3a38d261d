#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <stop_token>
#include <vector>

#include "chroma/product_key.hpp"
#include "chroma/record_reader.hpp"

namespace decant::chroma {

/// Records of a collection that cannot be compared with a question, by why.
struct UnusableRecords {
    std::uint64_t lost = 0;  ///< cannot be read whole
    std::uint64_t other_length = 0;
    std::uint64_t not_finite = 0;
    std::uint64_t zero = 0;  ///< no direction

    std::uint64_t total() const noexcept { return lost + other_length + not_finite + zero; }
};

/// The directions of all vectors of one collection in one matrix of float32 (each row divided by its norm, so that a
/// dot product is the cosine), and beside them what the records say of their products. Read once, then constant: any
/// number of threads may use it. Memory: the vectors, 48 bytes a record and its three short texts.
class VectorTable {
public:
    /// From the reader's first record to its last. Throws what it throws; Error{cancelled} once `stop` is asked for.
    VectorTable(RecordReader& reader, const std::stop_token& stop);
    VectorTable(VectorTable&&) noexcept;
    ~VectorTable();

    const Collection& collection() const noexcept { return collection_; }
    std::size_t size() const noexcept { return names_.size(); }
    std::size_t row_length() const noexcept { return row_length_; }  ///< the dimension, padded with zeros
    const float* rows() const noexcept { return rows_.get(); }
    const ProductNames& names(std::size_t row) const noexcept { return names_[row]; }
    const UnusableRecords& unusable() const noexcept { return unusable_; }
    std::size_t bytes() const noexcept;  ///< held in memory

private:
    struct Texts;
    struct Free {
        void operator()(float* rows) const noexcept;
    };

    void add(const Record& record);
    bool add_direction(std::span<const float> vector);

    Collection collection_;
    std::size_t row_length_ = 0;
    std::size_t capacity_ = 0;  ///< rows
    std::unique_ptr<float[], Free> rows_;
    std::vector<ProductNames> names_;
    std::unique_ptr<Texts> texts_;
    UnusableRecords unusable_;
};

/// One record of an order: its row and its cosine to the question.
struct RankedRow {
    float similarity;
    std::uint32_t row;
};

/// The rows of a table in the order of their cosine to a question, the nearest first, equal ones in id order; exact but
/// for float32's rounding. All rows are compared when it is made, and put in order as far as they are asked for. The
/// table must outlive it. One thread.
class Ranking {
public:
    /// `question` is of the collection's dimension, finite and not zero. Rows under `threshold` are left out.
    Ranking(const VectorTable& table, std::span<const float> question, double threshold);

    /// The next `count` rows, or those that are left. The view dies at the next call.
    std::span<const RankedRow> next(std::size_t count);

private:
    std::vector<float> similarities_;
    float least_;
    RankedRow last_{};
    bool has_last_ = false;
    std::vector<RankedRow> page_;
};

}  // namespace decant::chroma
