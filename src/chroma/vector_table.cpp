#include "chroma/vector_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <new>

#include "catalog/dot_products.hpp"
#include "chroma/detail/text_arena.hpp"
#include "core/error.hpp"
#include "core/interrupt.hpp"

namespace decant::chroma {
namespace {

constexpr std::size_t records_a_page = 1'000;
constexpr std::align_val_t row_alignment{catalog::row_floats * sizeof(float)};

double norm_of(std::span<const float> vector) noexcept {
    double squares = 0;
    for (const float value : vector)
        squares += static_cast<double>(value) * static_cast<double>(value);
    return std::sqrt(squares);
}

float* new_rows(std::size_t rows, std::size_t length) {
    const std::size_t row_bytes = length * sizeof(float);
    if (rows > std::numeric_limits<std::size_t>::max() / row_bytes) throw std::bad_alloc{};
    return static_cast<float*>(::operator new[](rows * row_bytes, row_alignment));
}

/// Writes the vector divided by its norm, which is neither zero nor infinite, and zeros up to `length`.
void write_direction(std::span<const float> vector, double norm, std::size_t length, float* out) noexcept {
    for (std::size_t i = 0; i < vector.size(); ++i)
        out[i] = static_cast<float>(static_cast<double>(vector[i]) / norm);
    std::fill(out + vector.size(), out + length, 0.0F);
}

/// The nearer first.
bool is_before(const RankedRow& a, const RankedRow& b) noexcept {
    return a.similarity != b.similarity ? a.similarity > b.similarity : a.row < b.row;
}

}  // namespace

struct VectorTable::Texts {
    detail::TextArena arena;
};

void VectorTable::Free::operator()(float* rows) const noexcept {
    ::operator delete[](rows, row_alignment);
}

VectorTable::VectorTable(VectorTable&&) noexcept = default;
VectorTable::~VectorTable() = default;

VectorTable::VectorTable(RecordReader& reader, const std::stop_token& stop)
    : collection_(reader.collection()),
      row_length_(catalog::padded_length(collection_.dimension.value_or(0))),
      capacity_(static_cast<std::size_t>(reader.record_count())),
      texts_(std::make_unique<Texts>()) {
    unusable_.lost = reader.lost().size();
    names_.reserve(capacity_);
    for (auto page = reader.next_page(records_a_page); !page.empty(); page = reader.next_page(records_a_page)) {
        if (stop.stop_requested() || interrupted()) {
            throw Error{ErrorCode::cancelled,
                        fmt::format("Interrupted while the vectors of collection '{}' were read", collection_.name),
                        "Run it again."};
        }
        for (const Record& record : page)
            add(record);
    }
}

void VectorTable::add(const Record& record) {
    if (!add_direction(record.vector)) return;
    const ProductNameTexts texts{record};
    detail::TextArena& arena = texts_->arena;
    names_.push_back({.product_id = arena.keep(texts.product_id),
                      .sku = arena.keep(texts.sku),
                      .record_id = arena.keep(texts.record_id)});
}

/// False, and counted, when it has none. The matrix is made for the first vector that has the collection's dimension:
/// what the directory says of its size is not believed before. Nothing is written to what is not used.
bool VectorTable::add_direction(std::span<const float> vector) {
    const double norm = norm_of(vector);
    if (vector.empty() || vector.size() != collection_.dimension) {
        ++unusable_.other_length;
    } else if (!std::isfinite(norm)) {
        ++unusable_.not_finite;
    } else if (norm == 0) {
        ++unusable_.zero;
    } else {
        if (!rows_) rows_.reset(new_rows(capacity_, row_length_));
        if (names_.size() == capacity_) {
            throw Error{ErrorCode::source_changed,
                        fmt::format("Collection '{}' gives more records than it counted", collection_.name),
                        "Run it again."};
        }
        write_direction(vector, norm, row_length_, rows_.get() + names_.size() * row_length_);
        return true;
    }
    return false;
}

std::size_t VectorTable::bytes() const noexcept {
    return names_.size() * (row_length_ * sizeof(float) + sizeof(ProductNames)) + texts_->arena.bytes();
}

Ranking::Ranking(const VectorTable& table, std::span<const float> question, double threshold)
    : similarities_(table.size()),
      // Rounding may take an opposite vector below -1.
      least_(threshold <= -1 ? -2.0F : static_cast<float>(threshold)) {
    if (table.size() == 0) return;
    std::vector<float> direction(table.row_length());
    write_direction(question, norm_of(question), direction.size(), direction.data());
    catalog::dot_products(table.rows(), direction, similarities_);
}

/// One pass over the similarities with a heap of `count`, whose root is the least near: cheap while the count is small
/// beside the table, as it is but for narrow filters.
std::span<const RankedRow> Ranking::next(std::size_t count) {
    page_.clear();
    const auto rows = static_cast<std::uint32_t>(similarities_.size());
    for (std::uint32_t row = 0; row < rows; ++row) {
        const RankedRow one{similarities_[row], row};
        if (one.similarity < least_ || (has_last_ && !is_before(last_, one))) continue;
        if (page_.size() < count) {
            page_.push_back(one);
            if (page_.size() == count) std::ranges::make_heap(page_, is_before);
        } else if (count > 0 && is_before(one, page_.front())) {
            std::ranges::pop_heap(page_, is_before);
            page_.back() = one;
            std::ranges::push_heap(page_, is_before);
        }
    }
    std::ranges::sort(page_, is_before);
    if (!page_.empty()) {
        last_ = page_.back();
        has_last_ = true;
    }
    for (RankedRow& one : page_)
        one.similarity = std::clamp(one.similarity, -1.0F, 1.0F);
    return page_;
}

}  // namespace decant::chroma
