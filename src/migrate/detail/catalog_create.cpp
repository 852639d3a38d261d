#include <fmt/format.h>

#include "catalog/product.hpp"
#include "core/failpoint.hpp"
#include "migrate/detail/catalog_job.hpp"
#include "store/product_store.hpp"

namespace decant::migrate::detail {
namespace {

constexpr std::size_t page_products = 1'000;
constexpr std::size_t most_sku_characters = 50;

bool is_number(const chroma::MetadataValue& value) {
    const auto* scalar = std::get_if<chroma::Scalar>(&value);
    return scalar != nullptr &&
           (std::holds_alternative<std::int64_t>(*scalar) || std::holds_alternative<double>(*scalar));
}

/// Fills `product` with what the metadata says; why that cannot be, if it cannot.
std::optional<std::string> describe(const chroma::Record& record, catalog::Product& product) {
    const auto entries = record.metadata.value_or(std::span<const chroma::MetadataEntry>{});
    for (const chroma::MetadataEntry& entry : entries) {
        const auto text = text_of(entry.value);
        const catalog::ProductField* field = entry.key == "id" ? nullptr : catalog::find_field(entry.key);
        if (!text || field == nullptr) continue;
        if (auto fault = catalog::set_field(product, *field, {*text, is_number(entry.value)})) {
            return fmt::format("{}: {}", entry.key, *fault);
        }
    }
    const chroma::MetadataValue* product_id = find_metadata(record, "product_id");
    const std::string id = product_id == nullptr ? "" : text_of(*product_id).value_or("");
    if (parse_uuid(id))
        product.id = id;
    else if (parse_uuid(record.id))
        product.id = std::string{record.id};
    else if (!product.sku && record.id.size() <= most_sku_characters)
        product.sku = std::string{record.id};
    return std::nullopt;
}

}  // namespace

/// Makes the products that only Chroma has, a page a transaction: made ones are found again by a later run.
void CatalogJob::create_products() {
    std::vector<catalog::Product> page;
    std::vector<std::string> ids;  // of the page's records
    const auto note = [&](const std::string& record, const catalog::Product& product, const std::string& reason) {
        ++report_.refused;
        if (report_.notes.size() >= max_listed_products) return;
        report_.notes.push_back({product.id.value_or(""), product.name.value_or(""),
                                 fmt::format("record '{}' makes no product: {}", record, reason)});
    };
    const auto create = [&] {
        if (!request_.dry_run) {
            const store::UpsertOutcome outcome = store::ProductStore{*db_}.upsert(page);
            report_.created += outcome.created;
            for (const auto& refusal : outcome.refused)
                note(ids[refusal.index], page[refusal.index], refusal.reason);
            failpoint("migrate.products_created");
        } else {
            report_.created += page.size();
        }
        page.clear();
        ids.clear();
    };
    for (auto records = source_->next_page(page_products); !records.empty();
         records = source_->next_page(page_products)) {
        for (const chroma::Record& record : records) {
            if (index_.find(record)) continue;
            catalog::Product product;
            if (const auto fault = describe(record, product)) {
                note(std::string{record.id}, product, *fault);
                continue;
            }
            page.push_back(std::move(product));
            ids.emplace_back(record.id);
        }
        create();
    }
    source_->rewind();
}

}  // namespace decant::migrate::detail
