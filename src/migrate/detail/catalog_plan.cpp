#include "migrate/detail/catalog_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <random>

#include "pg/binary_row.hpp"

namespace decant::migrate::detail {
namespace {

constexpr std::size_t lot_records = 1'000;
constexpr std::size_t tuple_prefix = 2 + 4;  ///< field count, length of the field

class Planner {
public:
    Planner(const ProductIndex& index, const MigrationRequest& request, const RowShape& shape)
        : index_(index), request_(request), shape_(shape) {
        plan_.choices.resize(index.products().size());
    }

    void add(const chroma::Record& record) {
        const auto found = index_.find(record);
        const auto position = static_cast<std::uint32_t>(plan_.products.size());
        plan_.products.push_back(found.value_or(no_product));
        if (!found) {
            ++plan_.unmatched_records;
            return;
        }
        Choice choice{.state = Choice::State::usable, .record = position};
        auto fault = find_fault(record);
        if (fault) {
            choice.state = Choice::State::unusable;
        } else {
            choice.vector = short_digest(wire_vector(record.vector));
            if (!may_reuse(record, index_.products()[*found]))
                choice.state = Choice::State::stale;
            else
                sample(record);
        }
        Choice& present = plan_.choices[*found];
        if (present.state == Choice::State::usable && choice.state == Choice::State::usable) {
            if (present.vector == choice.vector) return;
            present.state = Choice::State::conflicting;
            fault = fmt::format("several records of it hold other vectors, one is '{}'", record.id);
        } else if (choice.state > present.state) {
            present = choice;
        } else {
            return;
        }
        plan_.faults.erase(*found);
        if (fault) plan_.faults.emplace(*found, std::move(*fault));
    }

    CatalogPlan finish() { return std::move(plan_); }

private:
    /// Any document is as likely as any other to be among those kept; the same ones in every run.
    void sample(const chroma::Record& record) {
        if (!record.document || record.document->empty()) return;
        const std::size_t place = plan_.samples.size() < probed_documents
                                      ? plan_.samples.size()
                                      : std::uniform_int_distribution<std::size_t>{0, documents_}(random_);
        ++documents_;
        if (place >= probed_documents) return;
        if (place == plan_.samples.size()) plan_.samples.emplace_back();
        plan_.samples[place] = {std::string{*record.document}, {record.vector.begin(), record.vector.end()}};
    }

    std::optional<std::string> find_fault(const chroma::Record& record) const {
        if (auto fault = find_vector_fault(shape_, record.vector)) return fault;
        // pgvector's cosine index leaves a zero vector out: no search would ever find the product.
        const bool is_zero = std::ranges::all_of(record.vector, [](float value) { return value == 0; });
        return is_zero ? std::optional<std::string>{"vector: all its values are 0"} : std::nullopt;
    }

    bool may_reuse(const chroma::Record& record, const ProductRow& product) const {
        return request_.reuse == Reuse::always || (request_.reuse == Reuse::automatic && agrees(record, product));
    }

    const ProductIndex& index_;
    const MigrationRequest& request_;
    RowShape shape_;
    CatalogPlan plan_;
    std::mt19937_64 random_;
    std::size_t documents_ = 0;
};

}  // namespace

std::string wire_vector(std::span<const float> vector) {
    std::string tuple;
    pg::BinaryRow row{tuple, 1};
    row.vector(vector);
    return tuple.substr(tuple_prefix);
}

void choose(CatalogPlan& plan, const ProductIndex& index, const MigrationRequest& request, bool embeds, bool reuses) {
    const auto& products = index.products();
    plan.planned = 0;
    for (std::uint32_t i = 0; i < products.size(); ++i) {
        Choice& choice = plan.choices[i];
        if (!reuses && choice.state == Choice::State::usable) choice.state = Choice::State::stale;
        const bool is_wanted = request.force ? !products[i].is_written : !products[i].has_embedding;
        const bool is_usable = choice.state == Choice::State::usable;
        choice.is_planned = products[i].is_active && is_wanted && (is_usable || embeds);
        choice.is_embedded = choice.is_planned && !is_usable;
        if (choice.is_planned && is_usable) ++plan.planned;
    }
    for (std::uint32_t record = 0; record < plan.products.size(); ++record) {
        std::uint32_t& product = plan.products[record];
        if (product == no_product) continue;
        const Choice& choice = plan.choices[product];
        if (!choice.is_planned || choice.is_embedded || choice.record != record) product = no_product;
    }
}

CatalogPlan read_source(chroma::RecordReader& reader, const ProductIndex& index, const MigrationRequest& request,
                        const RowShape& shape) {
    Planner planner{index, request, shape};
    for (auto records = reader.next_page(lot_records); !records.empty(); records = reader.next_page(lot_records)) {
        for (const chroma::Record& record : records)
            planner.add(record);
    }
    reader.rewind();
    return planner.finish();
}

}  // namespace decant::migrate::detail
