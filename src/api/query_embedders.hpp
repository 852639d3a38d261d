#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "api/query_embedder.hpp"
#include "store/column_model.hpp"

namespace decant::api {

/// The server's models, one for each model that the column of vectors is told to be of: in nearly all days one. After a
/// change of the model the one before stays for a minute after its last use, because a hot standby may still have its
/// vectors. Any thread.
class QueryEmbedders {
public:
    using Open = std::function<std::unique_ptr<embed::Embedder>(const std::optional<store::ColumnModel>& column)>;

    explicit QueryEmbedders(Open open);

    /// Of a column's vectors; opened when it is first asked. None: what the settings choose.
    std::shared_ptr<QueryEmbedder> of(const std::optional<store::ColumnModel>& column);
    /// Of the primary's column, as it was looked at last.
    std::shared_ptr<QueryEmbedder> current() const;
    std::optional<store::ColumnModel> column() const;
    /// True when it is another one than before. Lets go of those that nobody asks any more.
    bool follow(const std::optional<store::ColumnModel>& column);

private:
    struct Entry {
        std::optional<store::ColumnModel> column;
        std::shared_ptr<QueryEmbedder> embedder;
        std::chrono::steady_clock::time_point used;
    };
    std::shared_ptr<QueryEmbedder> find_or_make(const std::optional<store::ColumnModel>& column) const;

    Open open_;
    mutable std::mutex mutex_;
    std::optional<store::ColumnModel> column_;
    mutable std::vector<Entry> entries_;  ///< made when they are first asked for
};

}  // namespace decant::api
