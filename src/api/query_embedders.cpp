#include "api/query_embedders.hpp"

#include <algorithm>

namespace decant::api {
namespace {

constexpr std::chrono::minutes kept_after_use{1};

}  // namespace

QueryEmbedders::QueryEmbedders(Open open) : open_(std::move(open)) {}

std::shared_ptr<QueryEmbedder> QueryEmbedders::find_or_make(const std::optional<store::ColumnModel>& column) const {
    const auto now = std::chrono::steady_clock::now();
    const auto found = std::ranges::find(entries_, column, &Entry::column);
    if (found != entries_.end()) {
        found->used = now;
        return found->embedder;
    }
    auto made = std::make_shared<QueryEmbedder>([this, column] { return open_(column); });
    entries_.push_back({column, made, now});
    return made;
}

std::shared_ptr<QueryEmbedder> QueryEmbedders::of(const std::optional<store::ColumnModel>& column) {
    const std::lock_guard lock{mutex_};
    return find_or_make(column);
}

std::shared_ptr<QueryEmbedder> QueryEmbedders::current() const {
    const std::lock_guard lock{mutex_};
    return find_or_make(column_);
}

std::optional<store::ColumnModel> QueryEmbedders::column() const {
    const std::lock_guard lock{mutex_};
    return column_;
}

bool QueryEmbedders::follow(const std::optional<store::ColumnModel>& column) {
    const std::lock_guard lock{mutex_};
    const bool is_other = column_ != column;
    column_ = column;
    find_or_make(column_);
    const auto limit = std::chrono::steady_clock::now() - kept_after_use;
    std::erase_if(entries_, [&](const Entry& entry) { return entry.used < limit; });
    return is_other;
}

}  // namespace decant::api
