#include "sync/intake.hpp"

#include <algorithm>
#include <array>
#include <unordered_map>

#include "core/failpoint.hpp"

namespace decant::sync {
namespace {

/// What of a product is the source's own.
constexpr std::array<std::string_view, 12> owned_columns{"name",           "price",    "stock",         "cost",
                                                         "tax_percentage", "barcode",  "external_code", "image_url",
                                                         "brand",          "category", "subcategory",   "active"};

using Batch = detail::Batch;

Batch batch_of(std::vector<Page>& pages, SyncCounts& counts) {
    Batch batch;
    if (!pages.empty()) batch.first_offset = pages.front().offset;
    std::unordered_map<std::string_view, std::size_t> places;
    for (Page& page : pages) {
        for (Incoming& item : page.items) {
            ++counts.read;
            if (item.has_sku) batch.synced.seen.push_back(item.key);
            if (item.fault) {
                ++counts.quarantined;
                counts.without_sku += item.has_sku ? 0 : 1;
                batch.synced.quarantined.push_back({.sku = item.has_sku ? std::optional{item.key} : std::nullopt,
                                                    .page_offset = page.offset,
                                                    .reason = *item.fault,
                                                    .item = item.raw});
                continue;
            }
            const auto [place, is_new] = places.emplace(item.key, batch.items.size());
            if (is_new)
                batch.items.push_back(&item);
            else
                batch.items[place->second] = &item;
        }
    }
    return batch;
}

/// How many of them stand there before.
std::uint64_t repeated(std::vector<std::string>& skus) {
    const std::size_t all = skus.size();
    std::ranges::sort(skus);
    skus.erase(std::ranges::unique(skus).begin(), skus.end());
    return all - skus.size();
}

}  // namespace

void Intake::set_category(Incoming& item) {
    if (item.category_id.empty() || !item.product.category) return;
    const std::pair key{item.category_id, *item.product.category};
    const auto found = categories_.find(key);
    const bool is_dry_run = run_.id == 0;
    std::string& name =
        found != categories_.end()
            ? found->second
            : categories_.emplace(key, runs_.category_name(key.first, key.second, is_dry_run)).first->second;
    item.product.category_display_name = key.second;
    item.product.category = name;
}

bool Intake::take(std::vector<Page>& pages, SyncCursor& cursor) {
    SyncCursor next = cursor;
    Batch batch = batch_of(pages, next.counts);
    std::vector<catalog::Product> products;
    products.reserve(batch.items.size());
    for (Incoming* item : batch.items) {
        set_category(*item);
        products.push_back(std::move(item->product));
        next.counts.stock_negative += item->was_stock_negative ? 1 : 0;
        next.counts.stock_rounded += item->was_stock_rounded ? 1 : 0;
    }
    const std::uint64_t repeats = repeated(batch.synced.seen);
    bool is_end_asked = false;
    const auto save = [&](const store::UpsertOutcome& done) {
        SyncCursor saved = next;
        count(batch, done, saved.counts);
        if (run_.id != 0) {
            saved.counts.duplicates += repeats + runs_.add_seen(run_.id, batch.synced.seen);
            batch.synced.cursor = saved.to_json();
            is_end_asked = runs_.save_page(run_.id, run_.token, batch.synced);
            failpoint("sync.page_written");
        }
        cursor = std::move(saved);
    };
    write(products, save);
    if (run_.id != 0) failpoint("sync.page_committed");
    return is_end_asked;
}

/// What the database refuses, as a sku that is another product's, goes where what cannot be read goes.
void Intake::count(Batch& batch, const store::UpsertOutcome& done, SyncCounts& counts) {
    std::vector<bool> is_refused(batch.items.size());
    for (const auto& [index, reason] : done.refused) {
        is_refused[index] = true;
        const Incoming& item = *batch.items[index];
        batch.synced.quarantined.push_back(
            {.sku = item.key, .page_offset = batch.first_offset, .reason = reason, .item = item.raw});
    }
    batch.synced.items.clear();
    for (std::size_t i = 0; i < batch.items.size(); ++i)
        if (!is_refused[i]) batch.synced.items.emplace_back(batch.items[i]->key, batch.items[i]->raw);
    counts.created += done.created;
    counts.updated += done.updated;
    counts.unchanged += done.unchanged;
    counts.quarantined += done.refused.size();
}

void Intake::write(std::span<const catalog::Product> products,
                   const std::function<void(const store::UpsertOutcome&)>& save) {
    const std::span<const std::string_view> owned{owned_columns};
    if (!products.empty()) {
        const store::UpsertOutcome done = products_.upsert(
            products,
            {.owned = run_.owns_products ? owned : owned.first(0), .before_commit = save, .is_dry_run = run_.id == 0});
        if (run_.id == 0) save(done);
        return;
    }
    pg::Transaction transaction{db_};
    save({});
    transaction.commit();
}

}  // namespace decant::sync
